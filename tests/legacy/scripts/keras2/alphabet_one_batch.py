# The whole alphabet as one ordered batch, thousands of epochs (Keras 2)
import sys

import numpy as np
from keras.models import Sequential
from keras.layers import Dense, LSTM
from keras.utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
X = np.arange(len(alphabet) - 1).reshape(-1, 1, 1) / float(len(alphabet))
y = to_categorical(np.arange(1, len(alphabet)))

model = Sequential()
model.add(LSTM(32, input_shape=(1, 1)))
model.add(Dense(len(alphabet), activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
history = model.fit(X, y, epochs=3000, batch_size=len(X), shuffle=False, verbose=0)

key = 'acc' if 'acc' in history.history else 'accuracy'
for epoch in (0, 100, 1000, 2999):
    loss, accuracy = history.history['loss'][epoch], history.history[key][epoch]
    print('epoch %4d  loss %.4f  accuracy %.2f' % (epoch + 1, loss, accuracy))

scores = model.evaluate(X, y, batch_size=len(X), verbose=0)
print("Model Accuracy: %.2f%%" % (scores[1] * 100))
for i, row in enumerate(model.predict(X, batch_size=len(X), verbose=0)):
    print(alphabet[i], "->", alphabet[np.argmax(row)])
