# Learn the alphabet with a memory that lasts from letter to letter, reset after each pass (Keras 1)
import sys

import numpy
from keras.models import Sequential
from keras.layers import Dense
from keras.layers import LSTM
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
char_to_int = dict((c, i) for i, c in enumerate(alphabet))
int_to_char = dict((i, c) for i, c in enumerate(alphabet))

dataX = [[char_to_int[char]] for char in alphabet[:-1]]
dataY = [char_to_int[char] for char in alphabet[1:]]
X = numpy.reshape(dataX, (len(dataX), 1, 1)) / float(len(alphabet))
y = np_utils.to_categorical(dataY)

batch_size = 1
model = Sequential()
model.add(LSTM(50, batch_input_shape=(batch_size, X.shape[1], X.shape[2]), stateful=True))
model.add(Dense(y.shape[1], activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
for i in range(300):
    model.fit(X, y, nb_epoch=1, batch_size=batch_size, verbose=0, shuffle=False)
    model.reset_states()

scores = model.evaluate(X, y, batch_size=batch_size, verbose=0)
model.reset_states()
print("Model Accuracy: %.2f%%" % (scores[1] * 100))


def recite(number, steps):
    """Feed the network its own answers, from one letter on."""
    said = ""
    for _ in range(steps):
        x = numpy.reshape([number], (1, 1, 1)) / float(len(alphabet))
        index = numpy.argmax(model.predict(x, verbose=0))
        print(int_to_char[number], "->", int_to_char[index])
        said += int_to_char[index]
        number = index
    model.reset_states()
    return said


print("Recited: A" + recite(char_to_int["A"], len(alphabet) - 1))

# without the letters before it, a letter in the middle is a cold start: what comes is not promised
print("New start: K")
print("From K: " + recite(char_to_int["K"], 5))
