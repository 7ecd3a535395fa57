# A sine with noise, from its last ten values to the next (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Dense
from tensorflow.keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

series = np.sin(np.arange(400) * 0.2) + 0.05 * np.random.randn(400)
low, high = series[:300].min(), series[:300].max()
scaled = (series - low) / (high - low)


def split_sequence(sequence, n_steps):
    X, y = [], []
    for i in range(len(sequence) - n_steps):
        X.append(sequence[i:i + n_steps])
        y.append(sequence[i + n_steps])
    return np.array(X)[..., np.newaxis], np.array(y)


n_steps = 10
X_train, y_train = split_sequence(scaled[:300], n_steps)
X_test, y_test = split_sequence(scaled[300:], n_steps)

model = Sequential()
model.add(LSTM(50, activation='tanh', input_shape=(n_steps, 1)))
model.add(Dense(1))
model.compile(optimizer='adam', loss='mse')
history = model.fit(X_train, y_train, epochs=60, batch_size=16, validation_data=(X_test, y_test), verbose=0)
print('val_loss: %.5f at first, %.5f at last' % (history.history['val_loss'][0], history.history['val_loss'][-1]))

for name, X, y in (('Train', X_train, y_train), ('Test', X_test, y_test)):
    error = (model.predict(X, verbose=0)[:, 0] - y) * (high - low)
    print('%s RMSE: %.3f' % (name, np.sqrt(np.mean(error ** 2))))
