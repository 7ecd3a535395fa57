# Good words and bad words: an Embedding that masks its zeros, under an LSTM (Keras 1)
from __future__ import print_function
import sys

import numpy as np
from keras.preprocessing import sequence
from keras.models import Sequential
from keras.layers import Dense, Activation, Embedding
from keras.layers import LSTM, SimpleRNN, GRU

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1337
np.random.seed(seed)

max_features = 40
maxlen = 12
batch_size = 32


def load_data(n):
    """Words are numbers: 1..10 praise, 11..20 blame, the rest say nothing."""
    texts, labels = [], []
    while len(texts) < n:
        words = np.random.randint(21, max_features, np.random.randint(3, 15)).tolist()
        score = 0
        for place in sorted(np.random.choice(len(words), 2, replace=False)):
            good = np.random.rand() < 0.5
            words[place] = np.random.randint(1, 11) if good else np.random.randint(11, 21)
            score += 1 if good else -1
        if score:
            texts.append(words)
            labels.append(int(score > 0))
    return texts, np.array(labels)


(X_train, y_train), (X_test, y_test) = load_data(800), load_data(200)
print(len(X_train), 'train sequences')
print(len(X_test), 'test sequences')
X_train = sequence.pad_sequences(X_train, maxlen=maxlen)
X_test = sequence.pad_sequences(X_test, maxlen=maxlen)
print('X_train shape:', X_train.shape)

model = Sequential()
model.add(Embedding(max_features, 16, input_length=maxlen, mask_zero=True))
model.add(LSTM(16))
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

print('Train...')
model.fit(X_train, y_train, batch_size=batch_size, nb_epoch=15, validation_data=(X_test, y_test), verbose=2)
score, acc = model.evaluate(X_test, y_test, batch_size=batch_size, verbose=0)
print('Test score: %.4f' % score)
print('Test accuracy: %.4f' % acc)
