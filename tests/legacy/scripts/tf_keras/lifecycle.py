# Define, compile, fit, evaluate, predict: once for each kind of output (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential
from tensorflow.keras.layers import LSTM, Dense
from tensorflow.keras.losses import SparseCategoricalCrossentropy
from tensorflow.keras.optimizers import Adam

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)


def network(outputs, activation):
    model = Sequential()
    model.add(LSTM(16, activation='tanh', input_shape=(5, 1)))
    model.add(Dense(outputs, activation=activation))
    return model


X = np.random.rand(400, 5, 1).astype('float32')

# a number: the difference of the last two
y = X[:, 4, 0] - X[:, 3, 0]
model = network(1, None)
model.compile(optimizer=Adam(0.01), loss='mse', metrics=['mae'])
model.fit(X, y, epochs=50, batch_size=20, verbose=0)
mse, mae = model.evaluate(X, y, verbose=0)
print('MSE: %.5f, MAE: %.5f, RMSE: %.5f' % (mse, mae, np.sqrt(mse)))

# yes or no: did it go up at the end?
up = (y > 0).astype('float32')
model = network(1, 'sigmoid')
model.compile(optimizer=Adam(0.01), loss='binary_crossentropy', metrics=['accuracy'])
model.fit(X, up, epochs=50, batch_size=20, verbose=0)
loss, accuracy = model.evaluate(X, up, verbose=0)
print('Binary Accuracy: %.2f%%' % (accuracy * 100))

# one of three: which third of the range holds the last number?
third = (X[:, 4, 0] * 3).astype('int64')
model = network(3, 'softmax')
model.compile(optimizer=Adam(0.01), loss=SparseCategoricalCrossentropy(), metrics=['accuracy'])
model.fit(X, third, epochs=50, batch_size=20, verbose=0)
loss, accuracy = model.evaluate(X, third, verbose=0)
print('Multiclass Accuracy: %.2f%%' % (accuracy * 100))
print('Predicted %s, expected %s' % (model.predict(X[:5], verbose=0).argmax(axis=-1), third[:5]))
