# The alphabet with a stateful LSTM, through the names under tf.keras (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
X = np.arange(25, dtype=np.float32).reshape(25, 1, 1) / 26.0
y = tf.keras.utils.to_categorical(np.arange(1, 26), num_classes=26)

model = tf.keras.models.Sequential()
model.add(tf.keras.layers.LSTM(50, batch_input_shape=(1, 1, 1), stateful=True))
model.add(tf.keras.layers.Dense(26, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])


class ResetAfterEachPass(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.reset_states()
        if (epoch + 1) % 100 == 0:
            print('epoch %d: loss %.4f, accuracy %.2f' % (epoch + 1, logs['loss'], logs['accuracy']))


model.fit(X, y, epochs=300, batch_size=1, shuffle=False, verbose=0, callbacks=[ResetAfterEachPass()])

model.reset_states()
_, accuracy = model.evaluate(X, y, batch_size=1, verbose=0)
print("Model Accuracy: %.2f%%" % (accuracy * 100))

model.reset_states()
number, recited = 0, "A"
for _ in range(25):
    number = int(np.argmax(model.predict(np.full((1, 1, 1), number / 26.0), verbose=0)))
    recited += alphabet[number]
print("Recited: " + recited)
