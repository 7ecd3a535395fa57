# Schedules, callbacks and states that pass from one LSTM call to the next (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

# parity of the ones so far: a bit that must be remembered and turned round
bits = np.random.randint(0, 2, size=(600, 8, 1)).astype('float32')
parity = np.cumsum(bits, axis=1) % 2

model = tf.keras.Sequential()
model.add(tf.keras.layers.InputLayer(input_shape=(8, 1)))
model.add(tf.keras.layers.LSTM(32, return_sequences=True))
model.add(tf.keras.layers.Dense(1, activation='sigmoid'))
model.compile(optimizer=tf.keras.optimizers.Adam(0.02), loss=tf.keras.losses.BinaryCrossentropy(), metrics=['accuracy'])


def schedule(epoch, lr):
    return lr if epoch < 40 else lr * 0.97


class Watch(tf.keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.best = 0.0

    def on_epoch_end(self, epoch, logs=None):
        self.best = max(self.best, logs['val_accuracy'])
        if logs['val_accuracy'] == 1.0 and logs['accuracy'] == 1.0:
            print('All right after epoch %d' % (epoch + 1))
            self.model.stop_training = True


watch = Watch()
model.fit(bits, parity, epochs=150, batch_size=50, validation_split=0.25, verbose=0, callbacks=[
    tf.keras.callbacks.LearningRateScheduler(schedule),
    tf.keras.callbacks.TerminateOnNaN(),
    tf.keras.callbacks.LambdaCallback(on_train_begin=lambda logs: print('begins'),
                                     on_train_end=lambda logs: print('ends')),
    watch,
])
print('Best val_accuracy: %.2f%%' % (watch.best * 100))

new = np.random.randint(0, 2, size=(200, 8, 1)).astype('float32')
answers = np.rint(model.predict(new, verbose=0))
print('Expected:  %s' % (np.cumsum(new[0, :, 0]) % 2).astype(int).tolist())
print('Predicted: %s' % answers[0, :, 0].astype(int).tolist())
print('Model Accuracy: %.2f%%' % (100 * np.mean(answers == np.cumsum(new, axis=1) % 2)))
