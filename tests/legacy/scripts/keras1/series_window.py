# Passengers of an airline: from the last three months to the next, RMSE of both parts (Keras 1)
import math
import sys

import numpy
from keras.models import Sequential
from keras.layers import Dense
from keras.layers import LSTM

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

# twelve years of months: growth, a season that grows with it, and some noise
months = numpy.arange(144)
dataset = (100 + 2.5 * months) * (1 + 0.2 * numpy.sin(2 * numpy.pi * months / 12)) + 5 * numpy.random.randn(144)
dataset = dataset.astype('float32').reshape(-1, 1)


class Scaler(object):
    def fit_transform(self, values):
        self.low, self.high = values.min(), values.max()
        return (values - self.low) / (self.high - self.low)

    def inverse_transform(self, values):
        return values * (self.high - self.low) + self.low


scaler = Scaler()
dataset = scaler.fit_transform(dataset)
train_size = int(len(dataset) * 0.67)
train, test = dataset[:train_size], dataset[train_size:]
print(len(train), len(test))


# X is the values of look_back months, Y that of the month after them
def create_dataset(dataset, look_back=1):
    dataX, dataY = [], []
    for i in range(len(dataset) - look_back):
        dataX.append(dataset[i:(i + look_back), 0])
        dataY.append(dataset[i + look_back, 0])
    return numpy.array(dataX), numpy.array(dataY)


look_back = 3
trainX, trainY = create_dataset(train, look_back)
testX, testY = create_dataset(test, look_back)
trainX = numpy.reshape(trainX, (trainX.shape[0], 1, trainX.shape[1]))
testX = numpy.reshape(testX, (testX.shape[0], 1, testX.shape[1]))

model = Sequential()
model.add(LSTM(4, input_dim=look_back))
model.add(Dense(1))
model.compile(loss='mean_squared_error', optimizer='adam')
model.fit(trainX, trainY, nb_epoch=100, batch_size=1, verbose=2)


def rmse(y, predicted):
    return math.sqrt(numpy.mean((scaler.inverse_transform(y) - scaler.inverse_transform(predicted[:, 0])) ** 2))


print('Train Score: %.2f RMSE' % rmse(trainY, model.predict(trainX)))
print('Test Score: %.2f RMSE' % rmse(testY, model.predict(testX)))
print('Spread of the series: %.2f' % float(scaler.inverse_transform(dataset).std()))
