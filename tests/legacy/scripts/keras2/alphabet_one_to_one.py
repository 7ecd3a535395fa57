# One letter in, the next one out, learnt in small batches (Keras 2)
import sys

import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential
from keras.utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

chars = [chr(code) for code in range(ord('a'), ord('z') + 1)]
index_of = {c: i for i, c in enumerate(chars)}

pairs = list(zip(chars[:-1], chars[1:]))
X = np.array([[[index_of[a] / len(chars)]] for a, _ in pairs])
y = to_categorical([index_of[b] for _, b in pairs], num_classes=len(chars))
print('X', X.shape, 'y', y.shape)

model = Sequential()
model.add(LSTM(units=32, input_shape=(1, 1)))
model.add(Dense(units=len(chars), activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.summary()
history = model.fit(X, y, epochs=600, batch_size=1, verbose=0)
print('First loss: %.3f, last loss: %.3f' % (history.history['loss'][0], history.history['loss'][-1]))

scores = model.evaluate(X, y, verbose=0)
print('Model Accuracy: %.2f%%' % (scores[1] * 100))

right = 0
for (a, b), answer in zip(pairs, model.predict(X, batch_size=1).argmax(axis=-1)):
    print('%s -> %s' % (a, chars[answer]))
    right += chars[answer] == b
print('Right: %d of %d' % (right, len(pairs)))
