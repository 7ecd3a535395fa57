# The five steps in the life of a network: a number out, linear, mean squared error (Keras 2)
import sys

import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

# 0.0, 0.1, 0.2, ... 1.0: after each number comes the next
sequence = np.array([step / 10.0 for step in range(11)])
X = sequence[:-1].reshape(10, 1, 1)
y = sequence[1:]

# 1. define
model = Sequential()
model.add(LSTM(10, input_shape=(1, 1)))
model.add(Dense(1, activation='linear'))
# 2. compile
model.compile(optimizer='adam', loss='mean_squared_error')
# 3. fit
history = model.fit(X, y, epochs=1000, batch_size=len(X), verbose=0)
print('Loss: %.4f at first, %.6f at last' % (history.history['loss'][0], history.history['loss'][-1]))
# 4. evaluate
loss = model.evaluate(X, y, verbose=0)
print('Mean Squared Error: %.6f' % loss)
# 5. predict
predictions = model.predict(X, verbose=0)
print(predictions[:, 0])
for given, expected, got in zip(X[:, 0, 0], y, predictions[:, 0]):
    print('%.1f -> %.3f (expected %.1f)' % (given, got, expected))
print('Largest error: %.4f' % np.abs(predictions[:, 0] - y).max())
