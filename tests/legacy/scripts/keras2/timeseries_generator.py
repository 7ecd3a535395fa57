# Windows of a series from a TimeseriesGenerator, and batches from a Sequence (Keras 2)
import sys

import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential
from keras.preprocessing.sequence import TimeseriesGenerator
from keras.utils import Sequence

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

t = np.arange(500)
series = np.stack([np.sin(t * 0.3), np.cos(t * 0.11)], axis=1) + 0.02 * np.random.randn(500, 2)
target = series[:, 0] * 0.5 + series[:, 1]

length = 8
train = TimeseriesGenerator(series, target, length=length, batch_size=16, end_index=399, shuffle=True)
test = TimeseriesGenerator(series, target, length=length, batch_size=16, start_index=400)
X, y = train[0]
print('Batches: %d and %d, the first %s %s' % (len(train), len(test), X.shape, y.shape))


class Doubled(Sequence):
    """Every batch of another Sequence and its mirror image."""

    def __init__(self, source):
        self.source = source

    def __len__(self):
        return len(self.source)

    def __getitem__(self, index):
        X, y = self.source[index]
        return np.concatenate([X, -X]), np.concatenate([y, -y])


model = Sequential()
model.add(LSTM(24, input_shape=(length, 2)))
model.add(Dense(1))
model.compile(optimizer='adam', loss='mse')
history = model.fit_generator(Doubled(train), steps_per_epoch=len(train), epochs=40, validation_data=test,
                              validation_steps=len(test), verbose=0)
print('val_loss: %.4f at first, %.4f at last' % (history.history['val_loss'][0], history.history['val_loss'][-1]))

score = model.evaluate_generator(test, steps=len(test))
predicted = model.predict_generator(test, steps=len(test))
expected = np.concatenate([test[i][1] for i in range(len(test))])
print('Test RMSE: %.4f' % np.sqrt(score))
print('The same from predict: %.4f' % np.sqrt(np.mean((predicted[:, 0] - expected) ** 2)))
