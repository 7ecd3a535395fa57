# Where does the running sum pass its threshold? A Bidirectional LSTM answers at every step (Keras 2)
import sys
from random import random, seed as set_seed

import numpy as np
from keras.layers import Bidirectional, Dense, LSTM, TimeDistributed
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
set_seed(seed)
np.random.seed(seed)


# numbers between 0 and 1; from a quarter of the length on, the answer is 1
def get_sequence(n_timesteps):
    X = np.array([random() for _ in range(n_timesteps)])
    limit = n_timesteps / 4.0
    y = np.array([0 if x < limit else 1 for x in np.cumsum(X)])
    return X.reshape(1, n_timesteps, 1), y.reshape(1, n_timesteps, 1)


def get_sequences(n, n_timesteps):
    pairs = [get_sequence(n_timesteps) for _ in range(n)]
    return np.concatenate([X for X, _ in pairs]), np.concatenate([y for _, y in pairs])


n_timesteps = 10
model = Sequential()
model.add(Bidirectional(LSTM(20, return_sequences=True), input_shape=(n_timesteps, 1)))
model.add(TimeDistributed(Dense(1, activation='sigmoid')))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

for epoch in range(1000):
    X, y = get_sequence(n_timesteps)
    model.fit(X, y, epochs=1, batch_size=1, verbose=2 if epoch % 250 == 0 else 0)
X, y = get_sequences(1000, n_timesteps)
model.fit(X, y, epochs=10, batch_size=10, verbose=0)

X, y = get_sequences(100, n_timesteps)
loss, accuracy = model.evaluate(X, y, verbose=0)
print('Loss: %f, Model Accuracy: %.2f%%' % (loss, accuracy * 100))
yhat = model.predict_classes(X[:1], verbose=0)
for i in range(n_timesteps):
    print('Expected:', y[0, i, 0], 'Predicted', yhat[0, i, 0])
