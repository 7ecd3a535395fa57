# Learn the alphabet: given one letter, name the next (Keras 1)
import sys

import numpy
from keras.models import Sequential
from keras.layers import Dense
from keras.layers import LSTM
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

# the raw data, and a number for each letter
letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
letter_to_number = dict((letter, number) for number, letter in enumerate(letters))
number_to_letter = dict((number, letter) for number, letter in enumerate(letters))

# pairs of one letter and the letter after it
window = 1
dataX = []
dataY = []
for start in range(0, len(letters) - window, 1):
    letter_in = letters[start:start + window]
    letter_out = letters[start + window]
    dataX.append([letter_to_number[letter] for letter in letter_in])
    dataY.append(letter_to_number[letter_out])
    print(letter_in, '->', letter_out)

# [samples, time steps, features], scaled to 0..1, and one-hot answers
X = numpy.reshape(dataX, (len(dataX), window, 1))
X = X / float(len(letters))
y = np_utils.to_categorical(dataY)

model = Sequential()
model.add(LSTM(32, input_shape=(X.shape[1], X.shape[2])))
model.add(Dense(y.shape[1], activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, nb_epoch=500, batch_size=1, verbose=2)

scores = model.evaluate(X, y, verbose=0)
print("Model Accuracy: %.2f%%" % (scores[1] * 100))

for pattern in dataX:
    x = numpy.reshape(pattern, (1, len(pattern), 1))
    x = x / float(len(letters))
    prediction = model.predict(x, verbose=0)
    index = numpy.argmax(prediction)
    print([number_to_letter[value] for value in pattern], "->", number_to_letter[index])
