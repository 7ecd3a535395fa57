# Batches from a Python generator, counted in samples, with validation batches (Keras 1)
import sys

import numpy as np
from keras.layers import Dense, Dropout, LSTM
from keras.models import Sequential
from keras.regularizers import l2

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)

BATCH, STEPS = 20, 9


def batches():
    """Yields rows of nine bits, and whether most of them are ones."""
    while True:
        X = np.random.randint(2, size=(BATCH, STEPS, 1))
        yield X, (X.sum(axis=1) > STEPS // 2).astype('int32')


model = Sequential()
model.add(LSTM(output_dim=24, input_dim=1, input_length=STEPS, init='glorot_uniform', inner_init='orthogonal',
               forget_bias_init='one', activation='tanh', inner_activation='hard_sigmoid', consume_less='cpu',
               W_regularizer=l2(1e-6), dropout_W=0.0, dropout_U=0.0, return_sequences=True))
model.add(Dropout(p=0.05))
model.add(LSTM(output_dim=12, consume_less='gpu'))
model.add(Dense(output_dim=1, init='uniform', activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])

history = model.fit_generator(batches(), samples_per_epoch=1000, nb_epoch=30, validation_data=batches(),
                              nb_val_samples=200, verbose=0)
print('Keys: %s' % sorted(history.history.keys()))
print('Validation accuracy: %.2f%%' % (100 * history.history['val_acc'][-1]))

X, y = next(batches())
print('Classes: %s' % model.predict_classes(X, verbose=0)[:, 0].tolist())
print('Expected: %s' % y[:, 0].tolist())
print('Probability: %.3f' % model.predict_proba(X, verbose=0)[0, 0])
print('Model Accuracy: %.2f%%' % (100 * model.evaluate_generator(batches(), val_samples=400)[1]))
