"""Answers that several tables give, and `statewise.legacy` too."""

from __future__ import annotations

from statewise.phrasebook.answer import Answer

_PENALTY = "sw.{call}(32, kernel_regularizer=sw.L1L2(l2=0.01))"

CONSTRAINT = Answer("weights are not constrained here", _PENALTY)
ACTIVITY = Answer("outputs are not penalized here", _PENALTY)
TRAINABLE = Answer("layers are frozen by their names", 'model.freeze("lstm*")')
FLOAT32 = Answer("weights are float32")
SAME_RESULT = Answer("it chose between ways to the same result")
DEVICE = Answer("the devices are found without it")
RANDOMNESS = Answer("all randomness derives from the model's seed")
WEIGHTS = Answer("weights start from Keras's defaults", "model.set_weights([...])")
THREADS = Answer("batches are read in this process")
ALL_EPOCHS = Answer("validation comes after each epoch")
OWN_LAYERS = Answer("custom layers and functions are not loaded")
LOOP = Answer("fit goes through the data, differentiates and updates", "model.fit(x, y)")
CARRIED = Answer("the call carries the state, not the layer", 'model.fit(x, y, batch_size=2, state="carry")')
NO_MODES = Answer("fit trains, and all other calls do not: there are no modes")
BATCH_MAJOR = Answer("arrays are [B, T, F] everywhere")
FUNCTIONAL = Answer(
    "a graph of layers begins with sw.Input and ends in sw.Model",
    "x = sw.Input((None, 2)); model = sw.Model(x, sw.Dense(1)(sw.LSTM(32)(x)))",
)
SCHEDULE = Answer("a learning rate that falls is a schedule", "sw.{call}(sw.InverseTimeDecay(0.01, 1, 0.001))")
