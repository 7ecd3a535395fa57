# Echo the number that is shown now; the net remembers nothing from one batch to the next (Keras 1)
import sys

import numpy
from keras.models import Sequential
from keras.layers.core import Activation, Dense
from keras.layers.recurrent import LSTM

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)


def encode(numbers):
    rows = numpy.zeros((len(numbers), 100))
    rows[numpy.arange(len(numbers)), numbers] = 1
    return rows


def decode(rows):
    return list(numpy.argmax(rows, axis=1))


def examples(length):
    numbers = numpy.random.randint(0, 100, length)
    return encode(numbers).reshape(length, 1, 100), encode(numbers)


model = Sequential()
model.add(LSTM(15, batch_input_shape=(10, 1, 100), consume_less='mem'))
model.add(Dense(100))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

for i in range(300):
    X, y = examples(100)
    model.fit(X, y, nb_epoch=1, batch_size=10, verbose=0)

X, y = examples(100)
loss, accuracy = model.evaluate(X, y, batch_size=10, verbose=0)
expected, predicted = decode(y), decode(model.predict(X, batch_size=10))
print('Expected: %s' % [int(number) for number in expected])
print('Predicted: %s' % [int(number) for number in predicted])
print('Right: %d of 100' % sum(numpy.array(expected) == numpy.array(predicted)))
print('Accuracy: %.2f%%' % (accuracy * 100))
