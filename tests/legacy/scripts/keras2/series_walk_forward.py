# Differences of a series, trained in batches, forecast one at a time by a copy with batch size 1 (Keras 2)
import sys
from math import sqrt

import numpy
from keras.models import Sequential
from keras.layers import Dense, LSTM

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

weeks = numpy.arange(120)
series = 50 + 0.8 * weeks + 10 * numpy.sin(2 * numpy.pi * weeks / 8) + 0.5 * numpy.random.randn(120)


def difference(dataset, interval=1):
    return dataset[interval:] - dataset[:-interval]


def scale(train, test):
    low, high = train.min(), train.max()
    squeeze = lambda values: 2 * (values - low) / (high - low) - 1
    return (low, high), squeeze(train), squeeze(test)


def invert_scale(limits, value):
    low, high = limits
    return (value + 1) / 2 * (high - low) + low


def build(n_batch):
    model = Sequential()
    model.add(LSTM(10, batch_input_shape=(n_batch, 1, 4), stateful=True))
    model.add(Dense(1))
    model.compile(loss='mean_squared_error', optimizer='adam')
    return model


# from four differences to the next
diff = difference(series)
supervised = numpy.array([diff[i:i + 5] for i in range(len(diff) - 4)])
n_test, n_batch = 15, 10
limits, train, test = scale(supervised[:-n_test], supervised[-n_test:])
X, y = train[:, :-1].reshape(len(train), 1, 4), train[:, -1]
print('train', X.shape, 'test', test.shape)

model = build(n_batch)
for i in range(200):
    model.fit(X, y, epochs=1, batch_size=n_batch, verbose=0, shuffle=False)
    model.reset_states()

# the same weights in a network that takes one row at a time
forecaster = build(1)
forecaster.set_weights(model.get_weights())
forecaster.predict(X, batch_size=1)

history, errors, naive = list(series[:-n_test]), [], []
for i in range(n_test):
    yhat = forecaster.predict(test[i, :-1].reshape(1, 1, 4), batch_size=1)[0, 0]
    yhat = invert_scale(limits, yhat) + history[-1]
    expected = series[len(series) - n_test + i]
    errors.append((expected - yhat) ** 2)
    naive.append((expected - history[-1]) ** 2)
    history.append(expected)
    print('Week=%d, Predicted=%f, Expected=%f' % (i + 1, yhat, expected))
print('Test RMSE: %.3f' % sqrt(numpy.mean(errors)))
print('Persistence RMSE: %.3f' % sqrt(numpy.mean(naive)))
