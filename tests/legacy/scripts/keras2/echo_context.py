# Echo the number shown one step ago, from frames of five steps made by shifting columns (Keras 2, pandas)
import sys
from random import randint, seed as set_seed

from numpy import argmax, array
from numpy.random import seed as set_numpy_seed
from pandas import DataFrame, concat
from keras.models import Sequential
from keras.layers import LSTM, Dense

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
set_seed(seed)
set_numpy_seed(seed)


def generate_sequence(length=25):
    return [randint(0, 99) for _ in range(length)]


def one_hot_encode(sequence, n_unique=100):
    encoding = []
    for value in sequence:
        vector = [0] * n_unique
        vector[value] = 1
        encoding.append(vector)
    return array(encoding)


def one_hot_decode(encoded_seq):
    return [int(argmax(vector)) for vector in encoded_seq]


# rows of five steps, the rows without five of them left out
def to_supervised(sequence, n_in, n_out):
    n_vars = sequence.shape[1]
    df = DataFrame(sequence)
    columns = [df.shift(back) for back in range(n_in - 1, -1, -1)]
    frames = concat(columns, axis=1)
    frames.dropna(inplace=True)
    values = frames.values
    width = n_in * n_vars
    X = values.reshape(len(values), n_in, n_vars)
    y = values[:, width - (n_out + 1) * n_vars:width - n_out * n_vars]
    return X, y


def generate_data(n_in=5, n_out=1):
    encoded = one_hot_encode(generate_sequence(24))
    return to_supervised(encoded, n_in, n_out)


n_in, batch_size = 5, 5
model = Sequential()
model.add(LSTM(150, batch_input_shape=(batch_size, n_in, 100), stateful=True))
model.add(Dense(100, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
for i in range(2000):
    X, y = generate_data(n_in)
    model.fit(X, y, epochs=1, batch_size=batch_size, verbose=2 if i % 500 == 0 else 0, shuffle=False)
    model.reset_states()

right = total = 0
for _ in range(5):
    X, y = generate_data(n_in)
    yhat = model.predict(X, batch_size=batch_size)
    model.reset_states()
    expected, predicted = one_hot_decode(y), one_hot_decode(yhat)
    right += sum(a == b for a, b in zip(expected, predicted))
    total += len(expected)
print('Expected:  %s' % expected)
print('Predicted: %s' % predicted)
print('Right: %d of %d' % (right, total))
