# A monthly series with pandas, scikit-learn and a picture: the tools that such tutorials bring along (Keras 2)
import math
import sys
from io import StringIO

import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy
import pandas
from keras.models import Sequential
from keras.layers import Dense
from keras.layers import LSTM
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import MinMaxScaler

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

# a file of months and values, as it would come from the web
months = numpy.arange(144)
values = (110 + 2 * months) * (1 + 0.15 * numpy.sin(2 * numpy.pi * months / 12)) + 4 * numpy.random.randn(144)
file = StringIO('"Month","Passengers"\n' + ''.join('"%d","%.0f"\n' % pair for pair in zip(months, values)))
dataframe = pandas.read_csv(file, usecols=[1], engine='python')
dataset = dataframe.values.astype('float32')

scaler = MinMaxScaler(feature_range=(0, 1))
dataset = scaler.fit_transform(dataset)
train_size = int(len(dataset) * 0.67)
train, test = dataset[0:train_size, :], dataset[train_size:len(dataset), :]


def create_dataset(dataset, look_back=1):
    dataX, dataY = [], []
    for i in range(len(dataset) - look_back - 1):
        dataX.append(dataset[i:(i + look_back), 0])
        dataY.append(dataset[i + look_back, 0])
    return numpy.array(dataX), numpy.array(dataY)


look_back = 12
trainX, trainY = create_dataset(train, look_back)
testX, testY = create_dataset(test, look_back)
trainX = numpy.reshape(trainX, (trainX.shape[0], trainX.shape[1], 1))
testX = numpy.reshape(testX, (testX.shape[0], testX.shape[1], 1))

model = Sequential()
model.add(LSTM(16, input_shape=(look_back, 1)))
model.add(Dense(1))
model.compile(loss='mean_squared_error', optimizer='adam')
history = model.fit(trainX, trainY, epochs=100, batch_size=4, validation_data=(testX, testY), verbose=0)

trainPredict = scaler.inverse_transform(model.predict(trainX))
testPredict = scaler.inverse_transform(model.predict(testX))
trainY = scaler.inverse_transform([trainY])
testY = scaler.inverse_transform([testY])
print('Train Score: %.2f RMSE' % math.sqrt(mean_squared_error(trainY[0], trainPredict[:, 0])))
print('Test Score: %.2f RMSE' % math.sqrt(mean_squared_error(testY[0], testPredict[:, 0])))

plt.plot(history.history['loss'], label='train')
plt.plot(history.history['val_loss'], label='test')
plt.legend()
plt.savefig('loss.png')
plt.show()
