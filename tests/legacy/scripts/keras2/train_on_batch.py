# The alphabet with a SimpleRNN and with a GRU, one train_on_batch at a time (Keras 2)
import sys

import numpy as np
from keras.layers import Dense, GRU, SimpleRNN
from keras.models import Sequential
from keras.utils import to_categorical

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

word = "hello world, "
chars = sorted(set(word))
numbers = np.array([chars.index(c) for c in word])
one_hot = to_categorical(numbers, num_classes=len(chars))
# the word as a circle: after each letter comes the next
X = one_hot.reshape(1, len(word), len(chars))
y = np.roll(one_hot, -1, axis=0).reshape(1, len(word), len(chars))

for layer in (SimpleRNN, GRU):
    model = Sequential()
    model.add(layer(24, batch_input_shape=(1, None, len(chars)), stateful=True, return_sequences=True))
    model.add(Dense(len(chars), activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
    for step in range(400):
        if step % 20 == 0:
            model.reset_states()
        loss, accuracy = model.train_on_batch(X, y)
        if step % 100 == 99:
            print('%s step %d: loss %.3f, accuracy %.2f' % (layer.__name__, step + 1, loss, accuracy))

    model.reset_states()
    loss, accuracy = model.test_on_batch(X, y)
    print('%s Accuracy: %.2f%%' % (layer.__name__, accuracy * 100))

    # one letter at a time, each the answer to the one before
    model.reset_states()
    number, written = int(numbers[0]), word[0]
    for _ in range(2 * len(word) - 1):
        answer = model.predict_on_batch(to_categorical([number], num_classes=len(chars)).reshape(1, 1, -1))
        number = int(answer[0, 0].argmax())
        written += chars[number]
    print('%s wrote: %s' % (layer.__name__, written))
