'''Text from windows of characters, a sample after each iteration (Keras 1).'''
from __future__ import print_function
from keras.models import Sequential
from keras.layers import Dense, Activation, Dropout
from keras.layers import LSTM
from keras.optimizers import RMSprop
from keras.utils.data_utils import get_file
import numpy as np
import random
import sys

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
random.seed(seed)
np.random.seed(seed)

text = ('a snail set out to see the sea. a gull asked the snail where it was going. '
        'to see the sea, said the snail. the sea is far, said the gull. ')
print('corpus length:', len(text))
chars = sorted(list(set(text)))
char_indices = dict((c, i) for i, c in enumerate(chars))
indices_char = dict((i, c) for i, c in enumerate(chars))

# cut the text in overlapping sequences of maxlen characters
maxlen = 16
sentences = []
next_chars = []
for i in range(0, len(text) - maxlen):
    sentences.append(text[i: i + maxlen])
    next_chars.append(text[i + maxlen])

X = np.zeros((len(sentences), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(sentences), len(chars)), dtype=bool)
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        X[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1

model = Sequential()
model.add(LSTM(48, return_sequences=True, input_shape=(maxlen, len(chars))))
model.add(Dropout(0.1))
model.add(LSTM(48, return_sequences=False))
model.add(Dropout(0.1))
model.add(Dense(len(chars)))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer=RMSprop(lr=0.005))


def sample(preds, temperature=1.0):
    # an index drawn from a row of probabilities
    preds = np.log(np.asarray(preds).astype('float64') + 1e-12) / temperature
    exp_preds = np.exp(preds)
    probas = np.random.multinomial(1, exp_preds / np.sum(exp_preds), 1)
    return np.argmax(probas)


for iteration in range(1, 16):
    model.fit(X, y, batch_size=16, nb_epoch=6, verbose=0)
    if iteration % 5:
        continue
    print('-' * 50)
    print('Iteration', iteration)
    start_index = random.randint(0, len(text) - maxlen - 41)
    for diversity in [0.2, 1.0]:
        generated = text[start_index: start_index + maxlen]
        for i in range(40):
            x = np.zeros((1, maxlen, len(chars)))
            for t, char in enumerate(generated[-maxlen:]):
                x[0, t, char_indices[char]] = 1.
            generated += indices_char[sample(model.predict(x, verbose=0)[0], diversity)]
        print('diversity:', diversity, '->', generated)

predicted = model.predict_classes(X, verbose=0)
print('Next letters known: %.2f%%' % (100 * np.mean(predicted == y.argmax(axis=1))))
