# Long waves seen one value at a time: only a state that lasts tells where in the wave we are (tensorflow.keras)
import sys

import numpy as np
import tensorflow as tf

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
tf.random.set_seed(seed)

# four series of one frequency and different phases, a lane of the batch each
lanes, steps, pieces = 4, 10, 12
t = np.arange(steps * pieces + 1) * 0.25
waves = np.sin(t[None, :] + np.arange(lanes)[:, None]) + 0.02 * np.random.randn(lanes, len(t))


# piece k of every lane makes batch k: row r goes on where row r of the batch before ended
def batches(values):
    cut = values.reshape(lanes, pieces, steps).transpose(1, 0, 2)
    return cut.reshape(lanes * pieces, steps, 1).astype('float32')


X, y = batches(waves[:, :-1]), batches(waves[:, 1:])
print(X.shape, y.shape)

model = tf.keras.Sequential([
    tf.keras.layers.LSTM(16, batch_input_shape=(lanes, steps, 1), stateful=True, return_sequences=True),
    tf.keras.layers.Dense(1),
])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss='mse')

for epoch in range(100):
    model.reset_states()
    loss = model.fit(X, y, batch_size=lanes, epochs=1, shuffle=False, verbose=0).history['loss'][0]
    if epoch % 25 == 24:
        print('epoch %d, loss %.5f' % (epoch + 1, loss))

model.reset_states()
predicted = model.predict(X, batch_size=lanes, verbose=0)
model.reset_states()
score = model.evaluate(X, y, batch_size=lanes, verbose=0)
print('RMSE: %.3f' % np.sqrt(score))
print('The same from predict: %.3f' % np.sqrt(np.mean((predicted - y) ** 2)))
