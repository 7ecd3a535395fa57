# Tokens, padding and an Embedding, under a Bidirectional LSTM (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.callbacks import EarlyStopping
from tensorflow.keras.layers import LSTM, Bidirectional, Conv1D, Dense, Embedding, SpatialDropout1D
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

questions = ['where is the {}', 'how old is your {}', 'do you like my {}', 'why did the {} break', 'is this a {}']
statements = ['the {} is here', 'your {} is old', 'i do like a {}', 'the {} did break', 'this is my {}']
things = ['boat', 'hat', 'house', 'clock', 'horse', 'bridge', 'song']

sentences, labels = [], []
for _ in range(400):
    label = np.random.randint(2)
    pattern = np.random.choice(questions if label else statements)
    sentences.append(pattern.format(np.random.choice(things)))
    labels.append(label)
labels = np.array(labels)

tokenizer = Tokenizer(num_words=60, oov_token='<OOV>')
tokenizer.fit_on_texts(sentences)
word_index = tokenizer.word_index
padded = pad_sequences(tokenizer.texts_to_sequences(sentences), padding='post', maxlen=8)
print(sentences[0], padded[0], labels[0])

model = tf.keras.Sequential([
    tf.keras.layers.Embedding(60, 8, input_length=8, mask_zero=True),
    tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(8)),
    tf.keras.layers.Dense(12, activation='relu'),
    tf.keras.layers.Dense(1, activation='sigmoid'),
])
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.summary()
history = model.fit(padded[:300], labels[:300], epochs=40, validation_data=(padded[300:], labels[300:]), verbose=2,
                    callbacks=[EarlyStopping(monitor='val_accuracy', patience=8, restore_best_weights=True)])
print('Epochs: %d of 40' % len(history.history['loss']))

_, accuracy = model.evaluate(padded[300:], labels[300:], verbose=0)
print('Test Accuracy: %.2f%%' % (accuracy * 100))
unseen = tokenizer.texts_to_sequences(['is your umbrella old', 'the umbrella is old'])
new = pad_sequences(unseen, padding='post', maxlen=8)
print(model.predict(new, verbose=0).round(2).tolist())
