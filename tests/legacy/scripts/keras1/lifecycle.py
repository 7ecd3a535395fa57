# Define, compile, fit, evaluate, predict: once for each kind of output (Keras 1)
import sys

import numpy
from keras.layers import Dense, LSTM
from keras.models import Sequential
from keras.optimizers import SGD, Adam
from keras.utils.np_utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)


def regression():
    """Returns the mean squared error of the mean of four numbers."""
    X = numpy.random.rand(200, 4, 1)
    y = X.mean(axis=(1, 2))
    model = Sequential()
    model.add(LSTM(8, input_dim=1, input_length=4))
    model.add(Dense(1, init='normal', activation='linear'))
    model.compile(loss='mse', optimizer=Adam(lr=0.01))
    model.fit(X, y, nb_epoch=60, batch_size=10, verbose=0)
    print(model.predict(X[:5]).ravel(), y[:5])
    return model.evaluate(X, y, verbose=0)


def binary():
    """Returns the accuracy of telling sums above two from sums below."""
    X = numpy.random.rand(300, 4, 1)
    y = (X.sum(axis=1) > 2).astype('int32')
    model = Sequential()
    model.add(LSTM(8, input_dim=1, input_length=4))
    model.add(Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer=Adam(lr=0.01), metrics=['accuracy'])
    model.fit(X, y, nb_epoch=60, batch_size=10, verbose=0)
    print(model.predict_classes(X[:5], verbose=0).ravel(), y[:5].ravel())
    return model.evaluate(X, y, verbose=0)[1]


def multiclass():
    """Returns the accuracy of saying where in the sequence the 1 was."""
    places = numpy.random.randint(4, size=300)
    X = to_categorical(places, 4).reshape(300, 4, 1)
    model = Sequential()
    model.add(LSTM(12, input_dim=1, input_length=4))
    model.add(Dense(4, activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer=SGD(lr=0.1, momentum=0.9, decay=1e-4, nesterov=True),
                  metrics=['accuracy'])
    history = model.fit(X, to_categorical(places, 4), nb_epoch=60, batch_size=10, validation_split=0.1, verbose=0)
    print('Keys: %s' % sorted(history.history.keys()))
    return history.history['val_acc'][-1]


print('Mean Squared Error: %.5f' % regression())
print('Binary Accuracy: %.2f%%' % (100 * binary()))
print('Multiclass Accuracy: %.2f%%' % (100 * multiclass()))
