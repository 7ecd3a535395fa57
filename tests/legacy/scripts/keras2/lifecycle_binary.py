# The five steps in the life of a network: yes or no out, sigmoid, binary cross-entropy (Keras 2)
import sys

import numpy as np
from keras.layers import Dense, LSTM
from keras.models import Sequential
from keras.optimizers import RMSprop

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

# is the first of six numbers greater than the last?
X = np.random.rand(600, 6, 1)
y = (X[:, 0, 0] > X[:, -1, 0]).astype(int)

# 1. define
model = Sequential()
model.add(LSTM(16, input_shape=(6, 1)))
model.add(Dense(1, activation='sigmoid'))
# 2. compile
model.compile(optimizer=RMSprop(lr=0.01), loss='binary_crossentropy', metrics=['accuracy'])
# 3. fit
history = model.fit(X[:500], y[:500], epochs=60, batch_size=10, validation_data=(X[500:], y[500:]), verbose=0)
print(sorted(history.history))
# 4. evaluate
loss, accuracy = model.evaluate(X[500:], y[500:], verbose=0)
print('Loss: %.3f, Model Accuracy: %.2f%%' % (loss, accuracy * 100))
# 5. predict
classes = model.predict_classes(X[500:], verbose=0)
print('Classes %s, the first five: %s' % (classes.shape, classes[:5, 0].tolist()))
print('Probability of the first: %.3f' % model.predict_proba(X[500:501], verbose=0)[0, 0])
