# fit on a Python generator, on a TimeseriesGenerator, and by hand (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Activation, Dense, Flatten, SimpleRNN
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.sequence import TimeseriesGenerator

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

series = np.sin(np.arange(300) * 0.25).reshape(-1, 1)
windows = TimeseriesGenerator(series, series, length=6, batch_size=10)
print('Samples: %d' % (len(windows) * 10))


def endless():
    while True:
        for i in range(len(windows)):
            yield windows[i]


def network():
    model = Sequential()
    model.add(SimpleRNN(12, return_sequences=True, input_shape=(6, 1)))
    model.add(LSTM(12, return_sequences=True, kernel_initializer='he_normal', recurrent_activation='hard_sigmoid'))
    model.add(Flatten())
    model.add(Dense(1))
    model.add(Activation('linear'))
    model.compile(optimizer='adam', loss='mse')
    return model


def by_hand(model, epochs):
    for epoch in range(epochs):
        for i in range(len(windows)):
            loss = model.train_on_batch(*windows[i])
    return loss


X = np.concatenate([windows[i][0] for i in range(len(windows))])
y = np.concatenate([windows[i][1] for i in range(len(windows))])
for name, train in (
    ('a generator', lambda model: model.fit(endless(), steps_per_epoch=len(windows), epochs=30, verbose=0)),
    ('a TimeseriesGenerator', lambda model: model.fit(windows, epochs=30, verbose=0)),
    ('train_on_batch', lambda model: by_hand(model, 30)),
):
    model = network()
    train(model)
    print('RMSE with %s: %.4f' % (name, np.sqrt(model.evaluate(X, y, verbose=0))))
