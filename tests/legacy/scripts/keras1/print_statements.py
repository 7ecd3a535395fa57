# Written for Python 2: its print is a statement (Keras 1)
import sys

import numpy
import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from keras.layers import Convolution1D, MaxPooling1D
from keras.layers import Dense
from keras.layers import SimpleRNN
from keras.models import Sequential
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

# which number of four was the largest?
numbers = numpy.random.rand(400, 4)
X = numbers.reshape(400, 4, 1)
y = np_utils.to_categorical(numbers.argmax(axis=1), 4)
print "Data:", X.shape,
print y.shape
print

model = Sequential()
model.add(SimpleRNN(24, input_shape=(4, 1)))
model.add(Dense(4, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

for round in range(3):
    history = model.fit(X, y, nb_epoch=80, batch_size=10, verbose=0)
    print "round %d: loss %.3f" % (round, history.history['loss'][-1])

scores = model.evaluate(X, y, verbose=0)
print "Model Accuracy: %.2f%%" % (scores[1] * 100)
for row, index in zip(numbers[:5], model.predict_classes(X[:5], verbose=0)):
    print row, "->", index
print >> sys.stderr, "done"
