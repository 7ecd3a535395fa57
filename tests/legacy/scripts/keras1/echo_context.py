# Echo the number shown one step ago with five steps of context and pandas shifts (Keras 1)
import sys

import numpy
import pandas
from keras.layers import Dense, LSTM
from keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)
STEPS, VALUES, BATCH = 5, 50, 5


def frames(numbers):
    """Returns the windows of five steps and the number before the last of each."""
    table = pandas.DataFrame(numpy.eye(VALUES, dtype=int)[numbers])
    shifted = pandas.concat([table.shift(STEPS - 1 - step) for step in range(STEPS)], axis=1).dropna()
    X = shifted.values.reshape(-1, STEPS, VALUES)
    return X, X[:, -2]


model = Sequential()
model.add(LSTM(100, batch_input_shape=(BATCH, STEPS, VALUES), stateful=True,
               forget_bias_init='one', inner_activation='sigmoid'))
model.add(Dense(VALUES, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

for i in range(1500):
    X, y = frames(numpy.random.randint(VALUES, size=24))
    model.fit(X, y, nb_epoch=1, batch_size=BATCH, verbose=0, shuffle=False)
    model.reset_states()

right = 0
for i in range(5):
    X, y = frames(numpy.random.randint(VALUES, size=24))
    answers = model.predict_classes(X, batch_size=BATCH, verbose=0)
    model.reset_states()
    expected = y.argmax(axis=1)
    right += int((answers == expected).sum())
print('Expected: %s' % expected.tolist())
print('Predicted: %s' % answers.tolist())
print('Right: %d of 100' % right)
