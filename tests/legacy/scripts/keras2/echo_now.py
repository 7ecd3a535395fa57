# Echo random integers: say the number that is shown now (Keras 2)
import sys
from random import randint, seed as set_seed

import numpy
from keras.models import Sequential
from keras.layers import LSTM, Dense

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
set_seed(seed)
numpy.random.seed(seed)


# a sequence of random numbers in [0, 99]
def generate_sequence(length=25):
    return [randint(0, 99) for _ in range(length)]


# each number as a row of a hundred with a single 1
def one_hot_encode(sequence, n_unique=100):
    encoding = list()
    for value in sequence:
        vector = [0 for _ in range(n_unique)]
        vector[value] = 1
        encoding.append(vector)
    return numpy.array(encoding)


# the number of each row
def one_hot_decode(encoded_seq):
    return [int(numpy.argmax(vector)) for vector in encoded_seq]


def generate_data():
    encoded = one_hot_encode(generate_sequence())
    return encoded.reshape(encoded.shape[0], 1, encoded.shape[1]), encoded


model = Sequential()
model.add(LSTM(15, input_shape=(1, 100)))
model.add(Dense(100, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
for i in range(500):
    X, y = generate_data()
    model.fit(X, y, epochs=1, batch_size=1, verbose=2 if i % 100 == 0 else 0)

# new numbers
right = 0
for i in range(4):
    X, y = generate_data()
    yhat = model.predict(X)
    expected, predicted = one_hot_decode(y), one_hot_decode(yhat)
    right += sum(a == b for a, b in zip(expected, predicted))
print('Expected:  %s' % expected)
print('Predicted: %s' % predicted)
print('Right: %d of 100' % right)
