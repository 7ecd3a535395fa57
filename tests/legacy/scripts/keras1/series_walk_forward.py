# Shampoo-like sales: difference, scale, one stateful step at a time, walk forward (Keras 1, pandas)
import sys
from math import sqrt

import numpy
from pandas import DataFrame, Series, concat
from keras.models import Sequential
from keras.layers import Dense, LSTM

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)


def timeseries_to_supervised(data, lag=1):
    df = DataFrame(data)
    columns = [df.shift(i) for i in range(lag, 0, -1)]
    columns.append(df)
    return concat(columns, axis=1).dropna()


def difference(dataset, interval=1):
    return Series([dataset[i] - dataset[i - interval] for i in range(interval, len(dataset))])


def fit_lstm(train, batch_size, nb_epoch, neurons):
    X, y = train[:, 0:-1], train[:, -1]
    X = X.reshape(X.shape[0], 1, X.shape[1])
    model = Sequential()
    model.add(LSTM(neurons, batch_input_shape=(batch_size, X.shape[1], X.shape[2]), stateful=True))
    model.add(Dense(1))
    model.compile(loss='mean_squared_error', optimizer='adam')
    for i in range(nb_epoch):
        model.fit(X, y, nb_epoch=1, batch_size=batch_size, verbose=0, shuffle=False)
        model.reset_states()
    return model


def forecast_lstm(model, batch_size, X):
    X = X.reshape(1, 1, len(X))
    yhat = model.predict(X, batch_size=batch_size)
    return yhat[0, 0]


months = numpy.arange(48)
raw_values = 200 + 8 * months + 40 * numpy.cos(numpy.pi * months) + 4 * numpy.random.randn(48)
supervised = timeseries_to_supervised(difference(raw_values), 1).values
train, test = supervised[:-12], supervised[-12:]

low, high = train.min(), train.max()
train_scaled = 2 * (train - low) / (high - low) - 1
test_scaled = 2 * (test - low) / (high - low) - 1

lstm_model = fit_lstm(train_scaled, 1, 300, 4)
# forecast the whole training part, so that the state of the memory is built up
lstm_model.predict(train_scaled[:, 0].reshape(len(train_scaled), 1, 1), batch_size=1)

predictions = []
for i in range(len(test_scaled)):
    yhat = forecast_lstm(lstm_model, 1, test_scaled[i, 0:-1])
    yhat = (yhat + 1) / 2 * (high - low) + low + raw_values[len(raw_values) - 13 + i]
    predictions.append(yhat)
    print('Month=%d, Predicted=%f, Expected=%f' % (i + 1, yhat, raw_values[len(raw_values) - 12 + i]))

rmse = sqrt(numpy.mean((raw_values[-12:] - predictions) ** 2))
print('Test RMSE: %.3f' % rmse)
print('Persistence RMSE: %.3f' % sqrt(numpy.mean((raw_values[-12:] - raw_values[-13:-1]) ** 2)))
