# Learn the alphabet one letter at a time, the whole of it as one batch whose order is kept (Keras 1)
import sys

import numpy
from keras.models import Sequential
from keras.layers import Dense
from keras.layers import LSTM
from keras.preprocessing.sequence import pad_sequences
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
char_to_int = dict((c, i) for i, c in enumerate(alphabet))
int_to_char = dict((i, c) for i, c in enumerate(alphabet))

seq_length = 1
dataX = []
dataY = []
for i in range(0, len(alphabet) - seq_length, 1):
    dataX.append([char_to_int[char] for char in alphabet[i:i + seq_length]])
    dataY.append(char_to_int[alphabet[i + seq_length]])

X = pad_sequences(dataX, maxlen=seq_length, dtype='float32')
X = numpy.reshape(X, (X.shape[0], seq_length, 1))
X = X / float(len(alphabet))
y = np_utils.to_categorical(dataY)

model = Sequential()
model.add(LSTM(16, input_shape=(X.shape[1], X.shape[2])))
model.add(Dense(y.shape[1], activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, nb_epoch=5000, batch_size=len(dataX), verbose=0, shuffle=False)

scores = model.evaluate(X, y, batch_size=len(dataX), verbose=0)
print("Model Accuracy: %.2f%%" % (scores[1] * 100))

for pattern in dataX:
    x = numpy.reshape(pattern, (1, len(pattern), 1))
    x = x / float(len(alphabet))
    index = numpy.argmax(model.predict(x, verbose=0))
    print([int_to_char[value] for value in pattern], "->", int_to_char[index])

# letters drawn at random, out of their order
print("Random letters:")
for _ in range(10):
    number = dataX[numpy.random.randint(len(dataX))][0]
    x = numpy.reshape([number], (1, 1, 1)) / float(len(alphabet))
    index = numpy.argmax(model.predict(x, verbose=0))
    print(int_to_char[number], "->", int_to_char[index])
