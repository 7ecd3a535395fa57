"""Names that users look for in `statewise`, and in Keras."""

from __future__ import annotations

from statewise.phrasebook.answer import Answer, spread
from statewise.phrasebook.reasons import DEVICE, FUNCTIONAL, LOOP

_DROP = Answer("", "sw.Dropout(0.2)")
_IN_STATEWISE = Answer("every name is in statewise itself", "sw.LSTM(32)")

SHARED = spread(
    {
        "Conv2D Conv3D Convolution2D Convolution3D Conv2DTranspose Deconvolution2D SeparableConv1D SeparableConv2D"
        " DepthwiseConv2D LocallyConnected1D LocallyConnected2D Cropping1D UpSampling2D ZeroPadding2D"
        " ConvLSTM1D ConvLSTM2D ConvRecurrent2D MaxPooling2D AveragePooling2D MaxPool2D AvgPool2D": Answer(
            "statewise learns from sequences; its only convolution is the one over steps", "sw.Conv1D(16, 3)"
        ),
        "MultiHeadAttention Transformer TransformerEncoder": Answer(
            "statewise is made for recurrent networks; its attention has one head, and a window makes it stream",
            "h = sw.Input((None, 8)); y = sw.Attention(window=16)([h, h])",
        ),
        "KerasClassifier KerasRegressor wrappers scikit_learn": Answer(
            "there are no wrappers for scikit-learn; call fit, evaluate and predict on the model itself",
            "model.fit(x, y)",
        ),
        "datasets": Answer(
            "statewise includes no data sets; read the data from a file, for example with numpy.load",
            'x = np.load("x.npy")',
        ),
        "applications": Answer(
            "statewise includes no pretrained networks; train one with Sequential([...])",
            "sw.Sequential([sw.LSTM(32), sw.Dense(1)])",
        ),
    }
)
"""Answers that `statewise.legacy` gives in the same words."""

NAMES = SHARED | spread(
    {
        "Graph Functional clone_model": FUNCTIONAL,
        "InputLayer": Answer("the first layer may name its input", "sw.LSTM(32, input_shape=(None, 2))"),
        "Merge merge concatenate add multiply average maximum minimum subtract": Answer(
            "layers such as Concatenate and Add join values", "x = sw.Input((None, 2)); h = sw.Add()([x, x])"
        ),
        "dot": Answer("", "x = sw.Input((None, 2)); h = sw.Dot(axes=2)([x, x])"),
        "GaussianDropout AlphaDropout": _DROP,
        "ReLU": Answer("", 'sw.Activation("relu")'),
        "ThresholdedReLU": Answer("", "sw.LeakyReLU(0.1)"),
        "Softmax": Answer("", 'sw.Activation("softmax")'),
        "Layer Module RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells": Answer(
            "custom layers inherit from the layers of statewise", "sw.LSTM(32)"
        ),
        "CuDNNLSTM": Answer("it runs on any device that JAX finds", "sw.LSTM(32)"),
        "CuDNNGRU": Answer("it runs on any device that JAX finds", "sw.GRU(32)"),
        "Linear": Answer("", "sw.Dense(1)"),
        "LayerNorm": Answer("", "sw.LayerNormalization()"),
        "BatchNorm1d": Answer("", "sw.BatchNormalization()"),
        "Convolution1D AtrousConvolution1D Conv1d": Answer("", "sw.Conv1D(16, 3)"),
        "Conv2d": SHARED["Conv2D"],
        "MaxPool1D MaxPool1d": Answer("", "sw.MaxPooling1D(2)"),
        "AvgPool1D AvgPool1d": Answer("", "sw.AveragePooling1D(2)"),
        "GlobalMaxPool1D": Answer("", "sw.GlobalMaxPooling1D()"),
        "GlobalAvgPool1D": Answer("", "sw.GlobalAveragePooling1D()"),
        "ZeroPad1d": Answer("", "sw.ZeroPadding1D(1)"),
        "Upsample": Answer("", "sw.UpSampling1D(2)"),
        "nn keras tf torch legacy_keras": _IN_STATEWISE,
        "losses": Answer("compile takes losses by name", 'model.compile("adam", "mse")'),
        "metrics": Answer("compile takes metrics by name", 'model.compile("adam", "mse", metrics=["mae"])'),
        "callbacks": Answer(_IN_STATEWISE.reason, 'sw.EarlyStopping("loss")'),
        "activations": Answer("layers take activations by name", 'sw.Activation("relu")'),
        "regularizers": Answer(_IN_STATEWISE.reason, "sw.L1L2(l2=0.01)"),
        "optim": Answer(_IN_STATEWISE.reason, "sw.Adam(0.001)"),
        "MSELoss L1Loss": Answer("compile takes losses by name", 'model.compile("adam", "mse")'),
        "CrossEntropyLoss NLLLoss": Answer(
            "compile takes losses by name", 'model.compile("adam", "sparse_categorical_crossentropy")'
        ),
        "BCELoss": Answer("compile takes losses by name", 'model.compile("adam", "binary_crossentropy")'),
        "AdamW Ftrl Lion LAMB": Answer("compile takes Optax's", 'model.compile(optax.adamw(0.001), "mse")'),
        "ReduceLROnPlateau LearningRateScheduler StepLR": Answer(
            "an optimizer takes a schedule, and model.learning_rate can be set",
            "sw.Adam(sw.ExponentialDecay(0.01, 1000, 0.9))",
        ),
        "TerminateOnNaN": Answer("fit ends where the loss is NaN, and keeps the last good weights"),
        "LambdaCallback": Answer("a function f(epoch, logs) is a callback", "model.fit(x, y, callbacks=print)"),
        "ProgbarLogger BaseLogger RemoteMonitor BackupAndRestore": Answer(
            "", 'model.fit(x, y, verbose=1, checkpoint="training.checkpoint")'
        ),
        "l1 l2 l1_l2 L1 L2": Answer("", "sw.L1L2(l1=0.0, l2=0.01)"),
        "load_model": Answer("", 'sw.load("model.statewise")'),
        "save_model save": Answer("", 'model.save("model.statewise")'),
        "model_from_json model_from_yaml": Answer("", 'sw.load("model.statewise")'),
        "pad_sequences pad_sequence pack_padded_sequence pack_sequence": Answer(
            "rows of different lengths are a list of arrays", "model.fit([x[0], x[1, :2]], y[:2])"
        ),
        "to_categorical one_hot": Answer(
            "class numbers need no encoding", 'model.compile("adam", "sparse_categorical_crossentropy")'
        ),
        "TimeseriesGenerator timeseries_dataset_from_array": Answer("", "sw.windows(series, 3)"),
        "Tokenizer TextVectorization text_to_word_sequence": Answer("", 'sw.TextModel(tokens="word")'),
        "Dataset DataLoader TensorDataset Sequence": Answer(
            "x may be any iterable of batches (x, y)", "model.fit([(x, y)])"
        ),
        "GradientTape no_grad autograd value_and_grad": LOOP,
        "Tensor tensor Variable array": Answer("data are NumPy arrays", "np.asarray(x)"),
        "set_random_seed manual_seed seed": Answer("", "sw.Sequential([sw.LSTM(32)], seed=7)"),
        "device cuda": DEVICE,
        "plot_model": Answer("", "model.summary()"),
        "backend K": Answer("arrays are NumPy's and JAX's", "np.asarray(x)"),
    }
)  # fmt: skip
"""What `statewise` lacks, of names that users of Keras and PyTorch know."""

ELSEWHERE = {"Sequential": Answer(_IN_STATEWISE.reason, "sw.Sequential([sw.LSTM(32), sw.Dense(1)])")}
"""What users look for in a module below `statewise`."""
