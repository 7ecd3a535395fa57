# Stacked stateful LSTMs whose state is reset by a callback, losses kept by another (Keras 2)
import sys

import keras
import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)


class ResetStates(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs={}):
        self.model.reset_states()


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs={}):
        self.losses = []
        self.epochs = 0

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get('loss'))

    def on_epoch_end(self, epoch, logs={}):
        self.epochs += 1
        if epoch % 10 == 9:
            print('epoch %d: loss %.4f' % (epoch + 1, logs.get('loss')))

    def on_train_end(self, logs={}):
        print('Epochs seen: %d, batches seen: %d' % (self.epochs, len(self.losses)))


class StopWhenGood(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs={}):
        if logs.get('loss') < 0.01:
            print('Good enough after epoch %d' % (epoch + 1))
            self.model.stop_training = True


# was a 1 seen in one of the batches before? each row is a stream of six batches, four steps each
lanes, pieces, steps = 8, 6, 4
X = (np.random.rand(lanes, pieces * steps, 1) < 0.08).astype('float32')
y = (np.cumsum(X, axis=1) > 0).astype('float32')
X, y = [a.reshape(lanes, pieces, steps, 1).transpose(1, 0, 2, 3).reshape(-1, steps, 1) for a in (X, y)]

model = Sequential()
model.add(LSTM(12, batch_input_shape=(lanes, steps, 1), stateful=True, return_sequences=True))
model.add(LSTM(12, stateful=True, return_sequences=True))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer=keras.optimizers.Adam(lr=0.01), metrics=['accuracy'])

losses = LossHistory()
model.fit(X, y, epochs=200, batch_size=lanes, shuffle=False, verbose=0,
          callbacks=[ResetStates(), losses, StopWhenGood()])
print('Losses: %.3f at first, %.4f at last' % (losses.losses[0], losses.losses[-1]))

model.reset_states()
print('Model Accuracy: %.2f%%' % (100 * model.evaluate(X, y, batch_size=lanes, verbose=0)[1]))
