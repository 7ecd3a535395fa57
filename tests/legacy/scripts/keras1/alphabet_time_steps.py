# Learn the alphabet from windows of three letters, given as three steps in time (Keras 1)
import sys

import numpy
from keras.models import Sequential
from keras.layers import Dense, LSTM
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
char_to_int = dict((c, i) for i, c in enumerate(alphabet))
int_to_char = dict((i, c) for i, c in enumerate(alphabet))

seq_length = 3
dataX = []
dataY = []
for i in range(0, len(alphabet) - seq_length):
    seq_in = alphabet[i:i + seq_length]
    seq_out = alphabet[i + seq_length]
    dataX.append([char_to_int[char] for char in seq_in])
    dataY.append(char_to_int[seq_out])
    print(seq_in, '->', seq_out)

X = numpy.reshape(dataX, (len(dataX), seq_length, 1))
X = X / float(len(alphabet))
y = np_utils.to_categorical(dataY)

model = Sequential([
    LSTM(32, input_shape=(seq_length, 1), init='glorot_uniform', inner_init='orthogonal'),
    Dense(y.shape[1], activation='softmax'),
])
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, nb_epoch=500, batch_size=1, verbose=2)

scores = model.evaluate(X, y, verbose=0)
print("%s: %.2f%%" % (model.metrics_names[1], scores[1] * 100))
print("Model Accuracy: %.2f%%" % (scores[1] * 100))

for pattern in dataX:
    x = numpy.reshape(pattern, (1, len(pattern), 1)) / float(len(alphabet))
    index = numpy.argmax(model.predict(x, verbose=0))
    print([int_to_char[value] for value in pattern], "->", int_to_char[index])
