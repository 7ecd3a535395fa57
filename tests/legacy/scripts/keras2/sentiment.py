# Short reviews: a Tokenizer, padding on the right, an Embedding that masks, a GRU (Keras 2)
import sys

import numpy as np
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from keras.layers import Conv1D, Dense, Dropout, Embedding, GRU, MaxPooling1D
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

praise = 'good great lovely superb charming'.split()
blame = 'bad dull awful clumsy tedious'.split()
things = 'film plot cast music ending'.split()


def review():
    label = np.random.randint(2)
    parts = []
    for _ in range(np.random.randint(1, 4)):
        word = np.random.choice(praise if label else blame)
        if np.random.rand() < 0.4:
            word = 'not ' + np.random.choice(blame if label else praise)
        parts.append('The %s was %s.' % (np.random.choice(things), word))
    return ' '.join(parts), label


texts, labels = zip(*[review() for _ in range(700)])
labels = np.array(labels)
print(texts[0], '->', labels[0])

tokenizer = Tokenizer(num_words=50, oov_token='<unk>')
tokenizer.fit_on_texts(texts)
sequences = tokenizer.texts_to_sequences(texts)
print('Words: %d, first review: %s' % (len(tokenizer.word_index), sequences[0]))
X = pad_sequences(sequences, maxlen=16, padding='post', truncating='post')

model = Sequential()
model.add(Embedding(50, 12, input_length=16, mask_zero=True))
model.add(Dropout(0.2))
model.add(GRU(16, dropout=0.1, recurrent_dropout=0.1))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['acc'])
history = model.fit(X[:600], labels[:600], epochs=60, batch_size=32, validation_split=0.1, verbose=2, callbacks=[
    EarlyStopping(monitor='val_loss', patience=10),
    ReduceLROnPlateau(monitor='val_loss', factor=0.5, patience=4, min_lr=1e-4),
])
print('Epochs: %d, keys: %s' % (len(history.epoch), sorted(history.history)))

loss, accuracy = model.evaluate(X[600:], labels[600:], verbose=0)
print('Test Accuracy: %.2f%%' % (accuracy * 100))
for text in ('the music was not tedious', 'the cast was not lovely. the plot was dull',
             'the ending was surprising and great'):
    row = pad_sequences(tokenizer.texts_to_sequences([text]), maxlen=16, padding='post')
    print('%s -> %.2f' % (text, model.predict(row, verbose=0)[0, 0]))
