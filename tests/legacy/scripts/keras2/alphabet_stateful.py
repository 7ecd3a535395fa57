# One letter at a time with a state that lasts: it learns the order, not the letters (Keras 2)
import sys

import numpy
from keras.models import Sequential
from keras.layers import Dense, LSTM
from keras.utils import np_utils

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
numpy.random.seed(seed)

alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
char_to_int = {c: i for i, c in enumerate(alphabet)}

X = numpy.array([char_to_int[c] for c in alphabet[:-1]]).reshape(-1, 1, 1) / float(len(alphabet))
y = np_utils.to_categorical([char_to_int[c] for c in alphabet[1:]])

model = Sequential()
model.add(LSTM(50, batch_input_shape=(1, 1, 1), stateful=True))
model.add(Dense(y.shape[1], activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
for i in range(300):
    history = model.fit(X, y, epochs=1, batch_size=1, verbose=2 if i % 100 == 0 else 0, shuffle=False)
    model.reset_states()

scores = model.evaluate(X, y, batch_size=1, verbose=0)
print("Model Accuracy: %.2f%%" % (scores[1] * 100))
model.layers[0].reset_states()

# the network reads its own writing
letter = "A"
recited = letter
for _ in range(len(alphabet) - 1):
    x = numpy.array([[[char_to_int[letter] / float(len(alphabet))]]])
    letter = alphabet[int(model.predict(x, batch_size=1, verbose=0).argmax())]
    recited += letter
print("Recited: " + recited)

# shown K first, it believes that it is at the beginning: the state counts, not the letter
model.reset_states()
x = numpy.array([[[char_to_int["K"] / float(len(alphabet))]]])
cold = model.predict(x, batch_size=1, verbose=0)
for c in alphabet[:10]:
    if c == "A":
        model.reset_states()
    model.predict(numpy.array([[[char_to_int[c] / float(len(alphabet))]]]), batch_size=1, verbose=0)
warm = model.predict(x, batch_size=1, verbose=0)
print("K, cold -> %s" % alphabet[int(cold.argmax())])
print("K, after A..J -> %s" % alphabet[int(warm.argmax())])
