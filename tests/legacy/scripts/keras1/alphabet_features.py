# Learn the alphabet from windows of three letters, given as three features of one step (Keras 1)
import sys

import numpy
from keras.models import Sequential
from keras.layers.core import Dense
from keras.layers.recurrent import LSTM
from keras.utils.np_utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
number_of = {letter: number for number, letter in enumerate(letters)}

window = 3
dataX, dataY = [], []
for start in range(len(letters) - window):
    dataX.append([number_of[letter] for letter in letters[start:start + window]])
    dataY.append(number_of[letters[start + window]])
    print(letters[start:start + window], '->', letters[start + window])

# one time step of three features: the network sees no order here
X = numpy.reshape(dataX, (len(dataX), 1, window)) / float(len(letters))
y = to_categorical(dataY, nb_classes=len(letters))

model = Sequential()
model.add(LSTM(output_dim=32, input_dim=window, input_length=1))
model.add(Dense(output_dim=y.shape[1], activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, nb_epoch=500, batch_size=1, verbose=0)

loss, accuracy = model.evaluate(X, y, verbose=0)
print("Model Accuracy: %.2f%%" % (100 * accuracy))

for pattern in dataX:
    x = numpy.reshape(pattern, (1, 1, window)) / float(len(letters))
    index = model.predict_classes(x, verbose=0)[0]
    print([letters[number] for number in pattern], "->", letters[index])
