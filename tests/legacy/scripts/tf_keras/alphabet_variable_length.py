# Pieces of the alphabet of any length up to five, padded on the left and masked (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.preprocessing.sequence import pad_sequences

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
max_len = 5

pieces, answers = [], []
for _ in range(1000):
    start = np.random.randint(0, len(alphabet) - 2)
    length = np.random.randint(1, min(max_len, len(alphabet) - 1 - start) + 1)
    pieces.append([alphabet.index(c) + 1 for c in alphabet[start:start + length]])
    answers.append(start + length)

X = pad_sequences(pieces, maxlen=max_len, dtype='float32')[..., np.newaxis] / len(alphabet)
y = np.array(answers)
print(X.shape, y.shape)

model = keras.Sequential()
model.add(layers.Masking(mask_value=0.0, input_shape=(max_len, 1)))
model.add(layers.LSTM(32))
model.add(layers.Dense(len(alphabet), activation='softmax'))
model.compile(loss='sparse_categorical_crossentropy', metrics=['accuracy'],
              optimizer=keras.optimizers.Adam(learning_rate=0.005))
model.fit(X, y, epochs=400, batch_size=8, verbose=0)

_, accuracy = model.evaluate(X, y, verbose=0)
print("Model Accuracy: %.2f%%" % (accuracy * 100))
for i in np.random.choice(len(pieces), 20):
    answer = int(np.argmax(model.predict(X[i:i + 1], verbose=0)))
    print(''.join(alphabet[n - 1] for n in pieces[i]), '->', alphabet[answer])
