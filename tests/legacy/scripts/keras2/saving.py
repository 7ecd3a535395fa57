# Save a network, load it, go on training it; architecture as JSON and weights apart (Keras 2)
import os
import sys
import tempfile

import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping, ModelCheckpoint
from keras.layers import Dense, LSTM
from keras.models import Sequential, load_model, model_from_json

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
np.random.seed(seed)
os.chdir(tempfile.mkdtemp())

length = 5
X = np.random.rand(300, length, 1)
y = X.mean(axis=1)

model = Sequential()
model.add(LSTM(20, input_shape=(length, 1), return_sequences=True))
model.add(LSTM(20))
model.add(Dense(1))
model.compile(loss='mse', optimizer='adam', metrics=['mae'])
checkpoint = ModelCheckpoint('weights.{epoch:02d}.h5', monitor='val_loss', period=10)
model.fit(X, y, epochs=20, batch_size=10, validation_split=0.2, verbose=0, callbacks=[checkpoint, CSVLogger('log.csv')])
print('Files: %s' % sorted(os.listdir('.')))
print('Log: %s, %d lines' % (open('log.csv').readline().strip(), len(open('log.csv').readlines())))

model.save('lstm_model.h5')
before = model.evaluate(X, y, verbose=0)
expected = model.predict(X, verbose=0)
del model

model = load_model('lstm_model.h5')
print('Same after load_model: %s' % np.allclose(model.predict(X, verbose=0), expected, atol=1e-6))

with open('model.json', 'w') as json_file:
    json_file.write(model.to_json())
model.save_weights('model_weights.h5')
with open('model.json') as json_file:
    twin = model_from_json(json_file.read())
twin.load_weights('model_weights.h5')
twin.compile(loss='mse', optimizer='adam')
print('Same after to_json: %s' % np.allclose(twin.predict(X, verbose=0), expected, atol=1e-6))

# the loaded network is compiled: go on
model.fit(X, y, epochs=100, batch_size=10, verbose=0, validation_split=0.2,
          callbacks=[EarlyStopping(monitor='loss', patience=15)])
after = model.evaluate(X, y, verbose=0)
print('%s: %.5f before, %.5f after' % (model.metrics_names, before[0], after[0]))
print('RMSE: %.4f' % np.sqrt(after[0]))
