# Generate text from windows of characters, the best weights kept in a file (Keras 2)
from __future__ import print_function
import os
import random
import sys
import tempfile

import numpy as np
from keras.callbacks import LambdaCallback, ModelCheckpoint
from keras.layers import Dense, LSTM
from keras.models import Sequential
from keras.optimizers import Adam

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
random.seed(seed)

text = """the river ran down to the mill, and the mill turned the stone.
the stone ground the corn, and the corn became the bread.
the bread went up to the town, and the town lay by the river.
"""
chars = sorted(list(set(text)))
print('total chars:', len(chars))
char_indices = dict((c, i) for i, c in enumerate(chars))
indices_char = dict((i, c) for i, c in enumerate(chars))

maxlen, step = 20, 1
sentences, next_chars = [], []
for i in range(0, len(text) - maxlen, step):
    sentences.append(text[i: i + maxlen])
    next_chars.append(text[i + maxlen])
print('nb sequences:', len(sentences))

x = np.zeros((len(sentences), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(sentences), len(chars)), dtype=bool)
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        x[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1


def build():
    model = Sequential()
    model.add(LSTM(64, input_shape=(maxlen, len(chars))))
    model.add(Dense(len(chars), activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer=Adam(lr=0.01))
    return model


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype('float64')
    preds = np.exp(np.log(preds + 1e-12) / temperature)
    return int(np.argmax(np.random.multinomial(1, preds / np.sum(preds), 1)))


def write(model, temperature, length=60):
    generated = text[:maxlen]
    for _ in range(length):
        x_pred = np.zeros((1, maxlen, len(chars)))
        for t, char in enumerate(generated[-maxlen:]):
            x_pred[0, t, char_indices[char]] = 1.
        generated += indices_char[sample(model.predict(x_pred, verbose=0)[0], temperature)]
    return generated


def on_epoch_end(epoch, logs):
    if epoch % 20 == 19:
        print('----- after epoch %d, loss %.3f: %r' % (epoch + 1, logs['loss'], write(model, 0.5, 30)))


model = build()
path = os.path.join(tempfile.mkdtemp(), 'weights-best.hdf5')
checkpoint = ModelCheckpoint(path, monitor='loss', verbose=0, save_best_only=True, mode='min')
model.fit(x, y, batch_size=32, epochs=120, verbose=0, callbacks=[LambdaCallback(on_epoch_end=on_epoch_end), checkpoint])

reader = build()
reader.load_weights(path)
generated = write(reader, 0.1)
print(generated)
right = sum(a == b for a, b in zip(generated[maxlen:], text[maxlen:]))
print('Loss: %.4f' % reader.evaluate(x, y, verbose=0))
print('As written: %d of 60' % right)
