# Echo the number shown one step ago, from the number shown now: it cannot be done (Keras 2)
import sys
from random import randint, seed as set_seed

import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
set_seed(seed)
np.random.seed(seed)


def generate_data(length=25):
    numbers = [randint(0, 99) for _ in range(length)]
    encoded = np.eye(100, dtype=int)[numbers]
    # what was shown at t - 1 is the answer at t
    X, y = encoded[1:], encoded[:-1]
    return X.reshape(len(X), 1, 100), y


def decode(rows):
    return [int(np.argmax(row)) for row in rows]


model = Sequential()
model.add(LSTM(15, input_shape=(1, 100)))
model.add(Dense(100, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['acc'])
for i in range(200):
    X, y = generate_data()
    history = model.fit(X, y, epochs=1, batch_size=1, shuffle=False, verbose=0)
    if i % 50 == 0:
        print('>%d loss %.3f acc %.3f' % (i, history.history['loss'][0], history.history['acc'][0]))

right = total = 0
for _ in range(10):
    X, y = generate_data()
    expected, predicted = decode(y), decode(model.predict(X, batch_size=1))
    right += sum(a == b for a, b in zip(expected, predicted))
    total += len(expected)
print('Expected:  %s' % expected)
print('Predicted: %s' % predicted)
print('Accuracy: %.2f%%, as poor as guessing' % (100.0 * right / total))
