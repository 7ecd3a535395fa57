# Add two numbers given as characters; a sequence in, a shorter sequence out (Keras 2)
import sys
from random import randint, seed as set_seed

import numpy as np
from keras.layers import Dense, LSTM, RepeatVector, TimeDistributed
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
set_seed(seed)
np.random.seed(seed)

alphabet = '0123456789+ '
n_in, n_out, largest = 5, 2, 49


def encode(texts):
    return np.array([[np.eye(len(alphabet))[alphabet.index(c)] for c in text] for text in texts])


def decode(rows):
    return ''.join(alphabet[index] for index in np.argmax(rows, axis=-1)).strip()


def generate(n):
    pairs = [(randint(0, largest), randint(0, largest)) for _ in range(n)]
    X = encode([('%d+%d' % pair).rjust(n_in) for pair in pairs])
    return X, encode([str(sum(pair)).rjust(n_out) for pair in pairs])


model = Sequential()
model.add(LSTM(75, input_shape=(n_in, len(alphabet))))
model.add(RepeatVector(n_out))
model.add(LSTM(50, return_sequences=True))
model.add(TimeDistributed(Dense(len(alphabet), activation='softmax')))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.summary()

for round_ in range(15):
    X, y = generate(5000)
    model.fit(X, y, epochs=4, batch_size=32, verbose=2 if round_ == 0 else 0)

X, y = generate(500)
loss, accuracy = model.evaluate(X, y, verbose=0)
print('Loss: %.4f, Model Accuracy: %.2f%%' % (loss, accuracy * 100))
for question, expected, got in list(zip(X, y, model.predict(X, verbose=0)))[:10]:
    print('Question: %s, expected %s, predicted %s' % (decode(question), decode(expected), decode(got)))
