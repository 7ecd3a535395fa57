# What needs the past and the future at once; two directions, added and side by side (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Bidirectional, Dense, TimeDistributed
from tensorflow.keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

STEPS = 10
X = np.random.rand(1200, STEPS, 1).astype('float32')
# 1 where the next number is greater than the one before: one direction alone must guess
ends = np.zeros((1200, 1, 1), 'float32')
before, after = np.concatenate([ends, X[:, :-1]], axis=1), np.concatenate([X[:, 1:], ends], axis=1)
y = (after > before).astype('float32')


def network(mode):
    model = Sequential()
    model.add(Bidirectional(LSTM(16, return_sequences=True), merge_mode=mode, input_shape=(STEPS, 1)))
    model.add(TimeDistributed(Dense(1, activation='sigmoid')))
    model.compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.01), metrics=['accuracy'])
    return model


one_way = Sequential()
one_way.add(LSTM(32, return_sequences=True, input_shape=(STEPS, 1)))
one_way.add(TimeDistributed(Dense(1, activation='sigmoid')))
one_way.compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.01), metrics=['accuracy'])

networks = [('one way', one_way)] + [(mode, network(mode)) for mode in ('sum', 'concat')]
for name, model in networks:
    model.fit(X[:1000], y[:1000], epochs=20, batch_size=20, verbose=0)
    loss, accuracy = model.evaluate(X[1000:], y[1000:], verbose=0)
    print('Accuracy, %s: %.2f%% (loss %.3f)' % (name, accuracy * 100, loss))
print('Shapes:', [w.shape for w in model.get_weights()])
