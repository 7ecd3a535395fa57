# Penalties, dropout inside the recurrence, constraints on gradients, a sequence read backwards (Keras 2)
import sys

import numpy as np
from keras import regularizers
from keras.initializers import RandomUniform
from keras.layers import Activation, Dense, Dropout, LSTM
from keras.models import Sequential
from keras.optimizers import SGD

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

# which came first, the spike up or the spike down?
n, steps = 600, 20
X = 0.1 * np.random.randn(n, steps, 1)
places = np.array([np.random.choice(steps, 2, replace=False) for _ in range(n)])
X[np.arange(n), places[:, 0]] += 1
X[np.arange(n), places[:, 1]] -= 1
y = (places[:, 0] < places[:, 1]).astype(int)

model = Sequential()
model.add(LSTM(32, input_shape=(steps, 1), go_backwards=True, implementation=2, unit_forget_bias=True,
               kernel_regularizer=regularizers.l2(1e-5), recurrent_regularizer=regularizers.l1_l2(1e-6, 1e-6),
               dropout=0.05, recurrent_dropout=0.05))
model.add(Dropout(0.1))
model.add(Dense(2, kernel_initializer=RandomUniform(-0.1, 0.1)))
model.add(Activation('softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer=SGD(lr=0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
              metrics=['accuracy'])
history = model.fit(X[:500], y[:500], epochs=80, batch_size=20, validation_data=(X[500:], y[500:]), verbose=0)
print('Last epoch: %s' % {key: round(float(values[-1]), 3) for key, values in sorted(history.history.items())})

loss, accuracy = model.evaluate(X[500:], y[500:], batch_size=100, verbose=0)
print('Model Accuracy: %.2f%%' % (accuracy * 100))
print('First answers: %s, expected %s' % (model.predict_classes(X[500:510], verbose=0).tolist(), y[500:510].tolist()))
