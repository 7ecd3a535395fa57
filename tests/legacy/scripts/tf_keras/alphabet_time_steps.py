# Three letters as three time steps (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
steps = 3
pieces = [alphabet[i:i + steps + 1] for i in range(len(alphabet) - steps)]
numbers = np.array([[alphabet.index(c) for c in piece] for piece in pieces])
X = numbers[:, :steps, np.newaxis] / len(alphabet)
y = to_categorical(numbers[:, steps], num_classes=len(alphabet))

model = Sequential([
    LSTM(32, input_shape=(steps, 1)),
    Dense(len(alphabet), activation='softmax'),
])
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
history = model.fit(X, y, epochs=800, batch_size=1, verbose=0)
print('Last epoch: accuracy %.3f' % history.history['accuracy'][-1])

loss, accuracy = model.evaluate(X, y, verbose=0)
print(f'Model Accuracy: {accuracy:.2%}')
for piece, row in zip(pieces, model.predict(X, verbose=0)):
    print(piece[:steps], '->', alphabet[np.argmax(row)])
