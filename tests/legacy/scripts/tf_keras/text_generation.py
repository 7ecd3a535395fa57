# Text from windows of character numbers through an Embedding, sampled with a temperature (tensorflow.keras)
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.keras.callbacks import EarlyStopping, ModelCheckpoint
from tensorflow.keras.layers import LSTM, Dense, Embedding
from tensorflow.keras.models import Sequential, load_model

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

text = 'one for the master, one for the dame, and one for the little boy who lives down the lane. ' * 3
vocab = sorted(set(text))
char2idx = {c: i for i, c in enumerate(vocab)}
numbers = np.array([char2idx[c] for c in text])

window = 20
X = np.stack([numbers[i:i + window] for i in range(len(numbers) - window)])
y = numbers[window:]
print('Windows:', X.shape, 'characters:', len(vocab))

model = Sequential([
    Embedding(len(vocab), 16, input_length=window),
    LSTM(64),
    Dense(len(vocab), activation='softmax'),
])
model.compile(loss='sparse_categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
folder = tempfile.mkdtemp()
model.fit(X, y, epochs=150, batch_size=16, verbose=0, callbacks=[
    ModelCheckpoint(os.path.join(folder, 'best.h5'), monitor='loss', save_best_only=True),
    EarlyStopping(monitor='loss', patience=8, min_delta=0.001),
])

best = load_model(os.path.join(folder, 'best.h5'))
loss, accuracy = best.evaluate(X, y, verbose=0)
print('Loss: %.4f' % loss)
print('Model Accuracy: %.2f%%' % (accuracy * 100))

generated = text[:window]
temperature = 0.1
for _ in range(75):
    x = np.array([[char2idx[c] for c in generated[-window:]]])
    logits = np.log(best.predict(x, verbose=0)[0].astype('float64') + 1e-12) / temperature
    p = np.exp(logits - logits.max())
    generated += vocab[np.random.choice(len(vocab), p=p / p.sum())]
print(generated)
print('As written: %d of 75' % sum(a == b for a, b in zip(generated[window:], text[window:])))
