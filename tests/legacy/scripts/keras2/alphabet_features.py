# Three letters as three features of a single step (Keras 2)
import sys

import numpy as np
from keras.layers import LSTM, Activation, Dense
from keras.models import Sequential
from keras.optimizers import Adam
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
window = 3
numbers = np.arange(len(alphabet))
X = np.array([numbers[i:i + window] for i in range(len(alphabet) - window)], dtype='float32')
X = X.reshape(len(X), 1, window) / len(alphabet)
y = np_utils.to_categorical(numbers[window:], num_classes=len(alphabet))

model = Sequential()
model.add(LSTM(32, input_shape=X.shape[1:]))
model.add(Dense(y.shape[1]))
model.add(Activation('softmax'))
model.compile(Adam(lr=0.003), 'categorical_crossentropy', metrics=['accuracy'])
model.fit(X, y, epochs=500, batch_size=1, verbose=0)

loss, accuracy = model.evaluate(X, y, verbose=0)
print("Model Accuracy: %.2f%%" % (accuracy * 100))

for i, index in enumerate(model.predict_classes(X, verbose=0)):
    print(alphabet[i:i + window], "->", alphabet[index])
