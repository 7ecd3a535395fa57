# -*- coding: utf-8 -*-
'''Read "3+28" as characters and write "31": an encoder, and a decoder over its last output (Keras 1).'''
from __future__ import print_function
import sys

import numpy as np
from keras.models import Sequential
from keras.layers import Activation, TimeDistributed, Dense, RepeatVector, recurrent

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)


class CharacterTable(object):
    '''Characters to one-hot rows and back.'''
    def __init__(self, chars):
        self.chars = sorted(set(chars))
        self.char_indices = dict((c, i) for i, c in enumerate(self.chars))
        self.indices_char = dict((i, c) for i, c in enumerate(self.chars))

    def encode(self, C, maxlen):
        X = np.zeros((maxlen, len(self.chars)))
        for i, c in enumerate(C):
            X[i, self.char_indices[c]] = 1
        return X

    def decode(self, X):
        return ''.join(self.indices_char[x] for x in X.argmax(axis=-1))


DIGITS = 2
MAXLEN = DIGITS + 1 + DIGITS
RNN = recurrent.LSTM
HIDDEN_SIZE = 96
BATCH_SIZE = 32

ctable = CharacterTable('0123456789+ ')
questions = []
expected = []
for a in range(0, 60):
    for b in range(0, 40):
        questions.append(('%d+%d' % (a, b)).ljust(MAXLEN))
        expected.append(str(a + b).ljust(DIGITS))
print('Total addition questions:', len(questions))

X = np.array([ctable.encode(question, MAXLEN) for question in questions])
y = np.array([ctable.encode(answer, DIGITS) for answer in expected])
indices = np.arange(len(y))
np.random.shuffle(indices)
X, y = X[indices], y[indices]
split_at = len(X) - len(X) // 10
(X_train, X_val) = X[:split_at], X[split_at:]
(y_train, y_val) = y[:split_at], y[split_at:]

model = Sequential()
model.add(RNN(HIDDEN_SIZE, input_shape=(MAXLEN, len(ctable.chars))))
model.add(RepeatVector(DIGITS))
model.add(RNN(HIDDEN_SIZE, return_sequences=True))
model.add(TimeDistributed(Dense(len(ctable.chars))))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

for iteration in range(1, 14):
    model.fit(X_train, y_train, batch_size=BATCH_SIZE, nb_epoch=10, validation_data=(X_val, y_val), verbose=0)
    print('Iteration', iteration, 'validation accuracy %.3f' % model.evaluate(X_val, y_val, verbose=0)[1])

preds = model.predict_classes(X_val, verbose=0)
for i in range(10):
    question, correct = ctable.decode(X_val[i]), ctable.decode(y_val[i])
    guess = ''.join(ctable.indices_char[index] for index in preds[i])
    print(question, '=', guess, '(right)' if guess == correct else '(wrong: %s)' % correct)
print('Model Accuracy: %.2f%%' % (100 * model.evaluate(X_val, y_val, verbose=0)[1]))
