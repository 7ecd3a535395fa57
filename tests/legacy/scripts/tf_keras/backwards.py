# Backwards, regularised, with dropout in the recurrence; the odd corners of an LSTM (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras import regularizers
from tensorflow.keras.layers import GRU, LSTM, Activation, BatchNormalization, Dense, Dropout, Permute, Reshape
from tensorflow.keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

# which of five symbols opened the sequence? the last step seen by a net that reads backwards
symbols = np.random.randint(0, 5, size=(500, 12))
X = tf.keras.utils.to_categorical(symbols, num_classes=5)
y = symbols[:, 0]

model = Sequential()
model.add(Reshape((12, 5), input_shape=(60,)))
model.add(LSTM(24, go_backwards=True, return_sequences=True, kernel_regularizer=regularizers.l2(1e-5),
               recurrent_dropout=0.1))
model.add(GRU(16, reset_after=False, dropout=0.1))
model.add(Dropout(0.1))
model.add(Dense(5))
model.add(Activation('softmax'))
model.compile(optimizer='nadam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
flat = X.reshape(500, 60)
model.fit(flat[:400], y[:400], epochs=60, batch_size=20, verbose=0)

loss, accuracy = model.evaluate(flat[400:], y[400:], verbose=0)
print('Test loss: %.3f' % loss)
print('Model Accuracy: %.2f%%' % (accuracy * 100))
print('Layers: %s' % [layer.name.split('_')[0] for layer in model.layers])
print('Parameters: %d' % model.count_params())
