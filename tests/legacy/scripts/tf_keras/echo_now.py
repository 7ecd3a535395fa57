# Echo the number shown now, at every one of five steps (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Dense, TimeDistributed
from tensorflow.keras.models import Sequential
from tensorflow.keras.utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

numbers = np.random.randint(0, 100, size=(2000, 5))
X = to_categorical(numbers, num_classes=100)

model = Sequential()
model.add(LSTM(40, input_shape=(5, 100), return_sequences=True))
model.add(TimeDistributed(Dense(100, activation='softmax')))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, X, epochs=12, batch_size=10, validation_split=0.1, verbose=2)

new = np.random.randint(0, 100, size=(20, 5))
answers = model.predict(to_categorical(new, num_classes=100)).argmax(axis=-1)
print('Expected:  %s' % new[0].tolist())
print('Predicted: %s' % answers[0].tolist())
print('Right: %d of %d' % ((answers == new).sum(), new.size))
