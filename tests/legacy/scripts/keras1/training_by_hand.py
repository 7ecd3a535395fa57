# Batches by hand, weights carried over, layers looked at (Keras 1)
import sys

import numpy as np
from keras.layers.core import Dense, Dropout, Masking, Permute, Reshape
from keras.layers.recurrent import GRU
from keras.models import Sequential, model_from_json
from keras.optimizers import RMSprop

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)


def batch(n=16, longest=9):
    """Returns rows of different lengths, zeros at their ends, and the last number of each."""
    X = np.zeros((n, longest, 1), 'float32')
    lengths = np.random.randint(3, longest + 1, n)
    for row, length in enumerate(lengths):
        X[row, :length, 0] = np.random.uniform(0.1, 1, length)
    return X, X[np.arange(n), lengths - 1]


model = Sequential()
model.add(Masking(mask_value=0., input_shape=(9, 1)))
model.add(GRU(24, return_sequences=False, inner_activation='sigmoid'))
model.add(Dense(8, activation='relu'))
model.add(Dense(1))
model.compile(loss='mean_squared_error', optimizer=RMSprop(lr=0.003, rho=0.9, epsilon=1e-8))

for step in range(1500):
    loss = model.train_on_batch(*batch())
    if step % 500 == 499:
        print('step %d, loss %.5f' % (step + 1, loss))

X, y = batch(200)
print('Test loss: %.5f' % model.test_on_batch(X, y))
print('Layers: %s' % [layer.__class__.__name__ for layer in model.layers])

copy = model_from_json(model.to_json())
copy.set_weights(model.get_weights())
same = np.allclose(copy.predict(X), model.predict_on_batch(X), atol=1e-6)
print('A copy predicts the same: %s' % same)
