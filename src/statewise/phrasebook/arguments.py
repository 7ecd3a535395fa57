"""Arguments by the call that they come to: a class, a method as `Class.method`, or a function."""

from __future__ import annotations

from statewise.phrasebook.answer import Answer, spread
from statewise.phrasebook.reasons import (
    ACTIVITY,
    ALL_EPOCHS,
    BATCH_MAJOR,
    CARRIED,
    CONSTRAINT,
    DEVICE,
    FLOAT32,
    FUNCTIONAL,
    NO_MODES,
    OWN_LAYERS,
    RANDOMNESS,
    SAME_RESULT,
    SCHEDULE,
    THREADS,
    TRAINABLE,
    WEIGHTS,
)

KERAS_NAMES: dict[str, dict[str, str]] = {
    "Recurrent": {
        "output_dim": "units",
        "inner_activation": "recurrent_activation",
        "W_regularizer": "kernel_regularizer",
        "U_regularizer": "recurrent_regularizer",
        "b_regularizer": "bias_regularizer",
        "dropout_W": "dropout",
        "dropout_U": "recurrent_dropout",
    },
    "Dense": {
        "output_dim": "units",
        "W_regularizer": "kernel_regularizer",
        "b_regularizer": "bias_regularizer",
        "bias": "use_bias",
    },
    "Dropout": {"p": "rate"},
    "Embedding": {"W_regularizer": "embeddings_regularizer"},
    "Reshape": {"dims": "target_shape"},
    "Optimizer": {"lr": "learning_rate"},
    "fit": {"nb_epoch": "epochs"},
}
"""What Keras 1 called arguments that are there under Keras 2's names."""

OTHER_NAMES: dict[str, dict[str, str]] = {
    "Recurrent": {"hidden_size": "units", "hidden_dim": "units", "num_units": "units", "bias": "use_bias"},
    "Dense": {"out_features": "units", "output_size": "units"},
    "Embedding": {"num_embeddings": "input_dim", "embedding_dim": "output_dim", "vocab_size": "input_dim"},
    "Bidirectional": {"mode": "merge_mode"},
    "SGD": {"momentum_rate": "momentum"},
    "RMSprop": {"alpha": "rho"},
    "Optimizer": {"eps": "epsilon", "clip_norm": "clipnorm", "clip_value": "clipvalue", "max_norm": "global_clipnorm"},
    "Model.fit": {
        "batch": "batch_size", "max_epochs": "epochs", "num_epochs": "epochs", "weights": "sample_weight",
    },
    "Model.evaluate": {"weights": "sample_weight"},
    "Model.compile": {"criterion": "loss", "loss_fn": "loss", "metric": "metrics"},
    "Model.__call__": {"hidden": "state", "hx": "state", "initial_state": "state", "states": "state"},
    "Learner": {"hidden_size": "units", "rnn_size": "units", "num_layers": "layers", "embedding_dim": "embedding"},
    "Learner.fit": {
        "nb_epoch": "epochs", "lr": "learning_rate", "seq_length": "steps", "validation_data": "validation_text",
    },
    "TextModel.generate": {"start_string": "prompt", "seed_text": "prompt", "max_new_tokens": "length", "n": "length"},
    "ModelCheckpoint": {"filepath": "path", "filename": "path", "dirpath": "path"},
    "CSVLogger": {"filename": "path"},
    "EarlyStopping": {"metric": "monitor"},
    "windows": {
        "sequence_length": "length", "window": "length", "window_size": "length", "lookback": "length",
        "sequence_stride": "stride", "step": "stride", "shift": "stride",
    },
    "lanes": {
        "sequence_length": "steps", "seq_length": "steps", "length": "steps", "bptt": "steps", "timesteps": "steps",
    },
    "load": {"filepath": "path", "filename": "path"},
    "Model.save": {"filepath": "path", "filename": "path"},
}  # fmt: skip
"""What PyTorch and others call arguments that are there under Keras 2's names."""

_LAYER = spread(
    {
        "batch_input_shape batch_shape": Answer(
            "the batch size belongs to a call, not to the model", "sw.LSTM(32, input_shape=(None, 2))"
        ),
        "input_dim input_length input_size in_features": Answer(
            "the data tell the input's shape, or the first layer does", "sw.LSTM(32, input_shape=(None, 2))"
        ),
        "batch_size": Answer("it belongs to a call, not to the model", "model.fit(x, y, batch_size=2)"),
        "dtype": FLOAT32,
        "device": DEVICE,
        "seed": RANDOMNESS,
        "weights": Answer("layers hold no arrays", "model.set_weights([...])"),
        "kernel_initializer recurrent_initializer bias_initializer embeddings_initializer init inner_init": WEIGHTS,
        "unit_forget_bias forget_bias_init forget_bias": Answer("the forget gate's bias starts from one"),
        "kernel_constraint recurrent_constraint bias_constraint embeddings_constraint": CONSTRAINT,
        "W_constraint U_constraint b_constraint": CONSTRAINT,
        "activity_regularizer": ACTIVITY,
    }
)
_RECURRENT = spread(
    {
        "stateful": CARRIED,
        "unroll implementation consume_less use_cudnn": SAME_RESULT,
        "batch_first time_major": BATCH_MAJOR,
        "num_layers": Answer("each layer is one", "sw.Sequential([sw.LSTM(32, return_sequences=True), sw.LSTM(32)])"),
        "bidirectional": Answer("", "sw.Bidirectional(sw.{call}(32))"),
        "proj_size": Answer("a projection is a layer of its own", "sw.TimeDistributed(sw.Dense(16))"),
        "nonlinearity": Answer("", 'sw.{call}(32, activation="tanh")'),
        "initial_state": Answer("the call takes the state", "y, state = model(x, state)"),
        "mask": Answer("the call takes the mask", "model.predict(x, mask=mask)"),
        "zero_output_for_mask": Answer("a masked step has no answer"),
        "cell_state recurrent_size": Answer("an LSTM's h and c have one size, its units", "sw.LSTM(32)"),
    }
)
_OPTIMIZER = spread(
    {
        "decay lr_decay": SCHEDULE,
        "weight_decay": Answer("a layer penalizes its weights", "sw.LSTM(32, kernel_regularizer=sw.L1L2(l2=0.01))"),
        "betas": Answer("", "sw.Adam(beta_1=0.9, beta_2=0.999)"),
        "params parameters": Answer(
            "compile brings optimizer and model together", 'model.compile(sw.Adam(0.01), "mse")'
        ),
        "amsgrad": Answer("", "sw.Adamax()"),
        "name": Answer("an optimizer has no name"),
        "maximize": Answer("losses are made small"),
        "foreach fused capturable differentiable jit_compile": SAME_RESULT,
        "use_ema ema_momentum ema_overwrite_frequency loss_scale_factor gradient_accumulation_steps": Answer(
            "Optax has it", 'model.compile(optax.adam(0.01), "mse")'
        ),
        "dampening": Answer("momentum is Keras's", "sw.SGD(momentum=0.9)"),
    }
)  # fmt: skip
_WITH_DATA = spread(
    {
        "stateful": Answer("", 'model.{call}(x, y, batch_size=2, state="carry")'),
        "initial_state hidden": Answer("", "model.{call}(x, y, state=state)"),
        "workers use_multiprocessing max_queue_size max_q_size nb_worker num_workers pickle_safe": THREADS,
        "show_accuracy": Answer("compile says what is measured", 'model.compile("adam", "mse", metrics=["accuracy"])'),
        "generator": Answer("x may be an iterable of batches (x, y)", "model.{call}([(x, y)])"),
        "training": NO_MODES,
        "device": DEVICE,
    }
)
_FIT = spread(
    {
        "steps_per_epoch samples_per_epoch": Answer("an epoch goes through all of x"),
        "validation_steps nb_val_samples": Answer(
            "all of validation_data is scored", "model.fit(x, y, validation_data=(x, y))"
        ),
        "validation_batch_size": Answer("validation has fit's batch size"),
        "validation_freq": ALL_EPOCHS,
        "learning_rate lr": Answer("", "model.learning_rate = 0.01"),
        "optimizer loss metrics": Answer("", 'model.compile(sw.Adam(0.01), "mse", metrics=["mae"])'),
        "seed": Answer("", "sw.Sequential([sw.LSTM(32), sw.Dense(1)], seed=7)"),
        "patience": Answer("", 'model.fit(x, y, callbacks=sw.EarlyStopping("loss", patience=3))'),
        "lengths": Answer("rows of different lengths are a list", "model.fit(list(x), y)"),
    }
)  # fmt: skip
_WITHOUT_TRAINING = spread(
    {
        "steps": Answer("all of x is gone through"),
        "callbacks": Answer("callbacks are told of a training", "model.fit(x, y, callbacks=[sw.CSVLogger('log.csv')])"),
    }
)

ARGUMENTS: dict[str, dict[str, Answer]] = {
    "Layer": _LAYER,
    "Recurrent": _RECURRENT,
    "Embedding": spread(
        {
            "padding_idx": Answer("symbol 0 may stand for no symbol", "sw.Embedding(1000, 16, mask_zero=True)"),
            "input_length": Answer("x may have any number of steps"),
            "dropout": Answer("", "sw.Dropout(0.2)"),
            "max_norm norm_type scale_grad_by_freq sparse": Answer("vectors are not constrained"),
        }
    ),
    "Dense": spread({"input_dim": Answer("the input's size follows from the layer before it")}),
    "Lambda": spread(
        {
            "mask": Answer("a function with an argument mask is given it", "sw.Lambda(lambda x, mask: x)"),
            "arguments": Answer("", "sw.Lambda(lambda x: 2 * x)"),
        }
    ),
    "Bidirectional": spread(
        {
            "stateful": Answer("an answer needs the whole sequence"),
        }
    ),
    "Optimizer": _OPTIMIZER,
    "Sequential": spread(
        {
            "name": Answer("a model has no name; the file that it is saved in has one"),
            "input_shape batch_input_shape": Answer("", "sw.Sequential([sw.LSTM(32, input_shape=(None, 2))])"),
            "trainable": TRAINABLE,
            "device": DEVICE,
            "dtype": FLOAT32,
            "optimizer loss metrics": Answer("", 'model.compile("adam", "mse", metrics=["mae"])'),
            "inputs outputs": FUNCTIONAL,
        }
    ),
    "Input": spread(
        {
            "batch_size batch_shape": Answer("the batch size belongs to a call", "x = sw.Input((None, 2))"),
            "dtype sparse ragged tensor": Answer(
                "an Embedding reads symbols, other layers numbers", "x = sw.Input((None, 2))"
            ),
        }
    ),
    "Concatenate": {"axis": Answer("features are joined, on the last axis", "sw.Concatenate()")},
    "Model.compile": spread(
        {
            "learning_rate lr": Answer("the optimizer has it", 'model.compile(sw.Adam(learning_rate=0.01), "mse")'),
            "weighted_metrics": Answer("metrics are not weighted", 'model.compile("adam", "mse", metrics=["mae"])'),
            "sample_weight_mode": Answer("", "model.fit(x, y, sample_weight=np.ones(len(x)))"),
            "run_eagerly jit_compile steps_per_execution class_mode auto_scale_loss": SAME_RESULT,
        }
    ),
    "Model.fit": _WITH_DATA | _FIT,
    "Model.evaluate": _WITH_DATA | _WITHOUT_TRAINING,
    "Model.predict": {
        word: answer._replace(write=answer.write.replace("x, y", "x")) if "{call}" in answer.write else answer
        for word, answer in (_WITH_DATA | _WITHOUT_TRAINING).items()
        if word != "generator"
    },
    "Model.__call__": spread({"training": NO_MODES}),
    "Model.summary": spread(
        {"line_length positions print_fn expand_nested show_trainable layer_range": Answer("it prints one table")}
    ),
    "Model.save": spread(
        {
            "overwrite": Answer("a file is replaced, whole or not at all"),
            "include_optimizer": Answer("the optimizer is in it"),
            "save_format zipped signatures options": Answer("there is one format"),
        }
    ),
    "load": spread(
        {
            "custom_objects": OWN_LAYERS,
            "compile": Answer("a model comes back compiled"),
            "safe_mode weights_only": Answer("a file holds arrays and no code"),
            "map_location device": DEVICE,
        }
    ),
    "EarlyStopping": spread(
        {
            "verbose": Answer("history tells when it ended", "history.epoch"),
            "baseline start_from_epoch": Answer(
                "a function may end a training", 'model.fit(x, y, callbacks=lambda epoch, logs: logs["loss"] < 0.1)'
            ),
        }
    ),
    "ModelCheckpoint": spread(
        {
            "verbose": Answer("nothing is printed"),
            "save_weights_only": Answer("the whole model is saved"),
            "period save_freq every_n_epochs": Answer("models are saved after each epoch"),
            "save_top_k": Answer("", "sw.ModelCheckpoint('best.statewise', save_best_only=True)"),
        }
    ),
    "CSVLogger": spread({"separator": Answer("columns are separated by commas")}),
    "TensorBoard": spread(
        {
            "histogram_freq write_graph write_images write_grads batch_size update_freq profile_batch": Answer(
                "loss and metrics are written"
            ),
            "embeddings_freq embeddings_metadata": Answer("loss and metrics are written"),
        }
    ),
    "windows": spread(
        {
            "batch_size": Answer("", "model.fit(sw.windows(series, 3), batch_size=2)"),
            "shuffle seed": Answer("fit shuffles", "model.fit(sw.windows(series, 3), shuffle=True)"),
            "sampling_rate": Answer("", "sw.windows(series[::2], 3)"),
            "targets target": Answer("", "sw.windows(series, 3, y=series)"),
            "steps": Answer("", "sw.windows(series, 3)"),
        }
    ),
    "lanes": spread(
        {
            "shuffle seed": Answer("lanes continue from batch to batch", "sw.windows(series, 3)"),
            "stateful": Answer("", 'model.fit(sw.lanes(series, batch_size=2, steps=3), state="carry")'),
            "drop_last": Answer("what is filled up is masked"),
            "static": Answer(
                "a lane may run from one series into the next, so inputs without steps are repeated at each step",
                "sw.lanes({'x': series, 'row': np.ones((len(series), 1))}, series, batch_size=2, steps=3)",
            ),
        }
    ),
    "Learner": spread(
        {
            "vocab_size": Answer("the text's symbols are the vocabulary"),
            "seq_length steps batch_size epochs": Answer("", "text_model.fit(text, batch_size=2, steps=8, epochs=1)"),
            "learning_rate lr": Answer("", "text_model.fit(text, learning_rate=0.01)"),
            "level": Answer("", 'sw.TextModel(tokens="word")'),
        }
    ),
}  # fmt: skip

POSITIONS: dict[str, tuple[str, ...]] = {
    "LSTM": ("units", "activation", "recurrent_activation", "use_bias"),
    "GRU": ("units", "activation", "recurrent_activation", "use_bias"),
    "SimpleRNN": ("units", "activation", "use_bias"),
    "Dense": ("units", "activation", "use_bias"),
    "Bidirectional": ("layer", "merge_mode"),
    "Dropout": ("rate", "noise_shape"),
    "Lambda": ("function", "output_shape"),
    "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon"),
    "SGD": ("learning_rate", "momentum", "nesterov"),
    "RMSprop": ("learning_rate", "rho", "momentum", "epsilon", "centered"),
    "Model.fit": ("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data"),
    "Model.evaluate": ("x", "y", "batch_size", "verbose", "sample_weight"),
    "Model.predict": ("x", "batch_size", "verbose"),
    "EarlyStopping": ("monitor", "min_delta", "patience"),
    "windows": ("series", "length", "stride", "horizon"),
    "lanes": ("series", "y", "batch_size", "steps"),
}
"""Arguments in Keras's order, of calls that take only the first of them by position."""
