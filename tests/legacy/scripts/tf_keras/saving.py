# A network saved whole, saved as weights, and loaded again (tensorflow.keras)
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.keras.callbacks import ModelCheckpoint, ReduceLROnPlateau
from tensorflow.keras.layers import GRU, Dense
from tensorflow.keras.models import Sequential, load_model

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)
folder = tempfile.mkdtemp()

X = np.random.rand(400, 6, 2).astype('float32')
y = (X[:, :, 0] * X[:, :, 1]).sum(axis=1)


def create_model():
    model = Sequential([GRU(24, input_shape=(6, 2)), Dense(1)])
    model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.01), loss='mean_squared_error',
                  metrics=[tf.keras.metrics.RootMeanSquaredError(name='rmse')])
    return model


model = create_model()
best = os.path.join(folder, 'best.ckpt')
checkpoint = ModelCheckpoint(filepath=best, save_weights_only=True, save_best_only=True, monitor='val_loss', verbose=0)
history = model.fit(X[:300], y[:300], epochs=60, batch_size=15, verbose=0, validation_data=(X[300:], y[300:]),
                    callbacks=[checkpoint, ReduceLROnPlateau(factor=0.5, patience=5)])
print(sorted(history.history))
print('Learning rate at the end: %.5f' % float(tf.keras.backend.get_value(model.optimizer.learning_rate)))

model.load_weights(best)
loss, rmse = model.evaluate(X[300:], y[300:], verbose=0)
print('Best val_loss: %.5f, loaded: %.5f' % (min(history.history['val_loss']), loss))
print('Test RMSE: %.4f' % rmse)

model.save(os.path.join(folder, 'model.h5'))
again = load_model(os.path.join(folder, 'model.h5'))
weights_only = create_model()
weights_only.load_weights(best)
for name, other in (('load_model', again), ('load_weights', weights_only)):
    difference = np.abs(other.predict(X, verbose=0) - model.predict(X, verbose=0)).max()
    print('Same after %s: %s' % (name, difference < 1e-5))
