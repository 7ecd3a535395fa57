# One step ago, first from the number shown now alone, then from the last five (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Dense
from tensorflow.keras.models import Sequential

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)
VALUES = 20


def examples(length, context):
    """Returns the last `context` numbers at each time, and the one before the last, both one-hot."""
    numbers = np.random.randint(0, VALUES, length + 5)
    encoded = np.eye(VALUES, dtype='float32')[numbers]
    X = np.stack([encoded[t - context + 1:t + 1] for t in range(5, length + 5)])
    return X, encoded[4:-1]


for context in (1, 5):
    model = Sequential()
    model.add(LSTM(32, input_shape=(context, VALUES)))
    model.add(Dense(VALUES, activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer=tf.keras.optimizers.Adam(0.005), metrics=['accuracy'])
    for i in range(60):
        X, y = examples(500, context)
        model.fit(X, y, epochs=1, batch_size=10, shuffle=False, verbose=0)

    X, y = examples(500, context)
    loss, accuracy = model.evaluate(X, y, batch_size=10, verbose=0)
    predicted = model.predict(X[:20], verbose=0).argmax(axis=-1)
    print('Expected:  %s' % y[:20].argmax(axis=-1).tolist())
    print('Predicted: %s' % predicted.tolist())
    print('Steps of context %d, accuracy: %.2f%%' % (context, accuracy * 100))
