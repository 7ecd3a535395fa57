# The five steps in the life of a network: one of several kinds out, softmax (Keras 2)
import sys

import numpy as np
from keras import backend as K
from keras.layers import Activation, Dense, Dropout, LSTM
from keras.models import Sequential
from keras.utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
K.clear_session()

# rising, falling, and swinging curves, with noise
t = np.linspace(0, 1, 12)
kinds = np.random.randint(0, 3, 450)
slopes = np.random.uniform(0.5, 1.5, 450)
curves = np.stack([t, -t, np.sin(4 * np.pi * t)])[kinds] * slopes[:, None]
X = (curves + 0.1 * np.random.randn(*curves.shape))[:, :, None]
y = to_categorical(kinds, num_classes=3)

# 1. define
model = Sequential()
model.add(LSTM(20, input_shape=(12, 1)))
model.add(Dropout(0.1))
model.add(Dense(3))
model.add(Activation('softmax'))
# 2. compile
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
# 3. fit
model.fit(X[:360], y[:360], epochs=40, batch_size=16, validation_split=0.2, verbose=2)
# 4. evaluate
loss, accuracy = model.evaluate(X[360:], y[360:], verbose=0)
print('Loss: %.3f, Model Accuracy: %.2f%%' % (loss, accuracy * 100))
# 5. predict
predicted = np.argmax(model.predict(X[360:], verbose=0), axis=1)
print('Expected:  %s' % kinds[360:380].tolist())
print('Predicted: %s' % predicted[:20].tolist())
