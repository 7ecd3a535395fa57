# A series with memory between batches: look-back as time steps, a state per pass, validation (Keras 2)
import sys

import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

months = np.arange(150)
passengers = (100 + 2 * months) * (1 + 0.15 * np.sin(2 * np.pi * months / 12)) + 3 * np.random.randn(150)
low, high = passengers[:100].min(), passengers[:100].max()
scaled = ((passengers - low) / (high - low)).astype('float32')

look_back, batch_size = 3, 1


def windows(values):
    X = np.array([values[i:i + look_back] for i in range(len(values) - look_back)])
    return X.reshape(len(X), look_back, 1), values[look_back:]


trainX, trainY = windows(scaled[:100])
testX, testY = windows(scaled[100:])

model = Sequential()
model.add(LSTM(8, batch_input_shape=(batch_size, look_back, 1), stateful=True, return_sequences=True))
model.add(LSTM(8, stateful=True))
model.add(Dense(1))
model.compile(loss='mean_squared_error', optimizer='adam')
for i in range(60):
    history = model.fit(trainX, trainY, epochs=1, batch_size=batch_size, verbose=0, shuffle=False,
                        validation_data=(testX, testY))
    model.reset_states()
    if i % 20 == 19:
        print('pass %d: loss %.5f, val_loss %.5f' % (i + 1, history.history['loss'][0], history.history['val_loss'][0]))

# the test part goes on where the training part ended
trainPredict = model.predict(trainX, batch_size=batch_size)
testPredict = model.predict(testX, batch_size=batch_size)


def rmse(y, predicted):
    return np.sqrt(np.mean(((y - predicted[:, 0]) * (high - low)) ** 2))


print('Train Score: %.2f RMSE' % rmse(trainY, trainPredict))
print('Test Score: %.2f RMSE' % rmse(testY, testPredict))
