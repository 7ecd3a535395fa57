"""The table of networks, optimisers and losses, each trained by one `fit`. A case varies one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from golden.keras2_case import CLASSIFICATION, EPOCHS, FEATURES, NOTHING, REGRESSION, SHORT, STEPS, Case, Run, fitted
from golden.keras2_scripts import SCRIPTS, STATES


def ended_by(activation: str) -> Callable[[Any], list[Any]]:
    """The LSTM and a Dense of this activation."""
    return lambda layers: [
        layers.LSTM(4, input_shape=(STEPS, FEATURES)),
        layers.Dense(3, activation=activation),
    ]


OPTIMIZERS: dict[str, Case] = {
    "adam": replace(REGRESSION, optimizer=lambda optimizers: optimizers.Adam(lr=0.03), often=True),
    "adam_decay": replace(REGRESSION, optimizer=lambda optimizers: optimizers.Adam(lr=0.03, decay=0.02)),
    "adam_by_name": replace(REGRESSION, optimizer=lambda _: "adam", train=fitted(batch_size=1)),
    # Inside the root, as Keras has it since 2.11; until then, and without momentum, RMSprop added epsilon to the root.
    "rmsprop_momentum": replace(REGRESSION, optimizer=lambda optimizers: optimizers.RMSprop(lr=0.01, momentum=0.5)),
    "rmsprop_by_name": replace(REGRESSION, optimizer=lambda _: "rmsprop", train=fitted(batch_size=1), often=True),
    "sgd": replace(REGRESSION, optimizer=lambda optimizers: optimizers.SGD(lr=0.2)),
    "sgd_momentum": replace(REGRESSION, optimizer=lambda optimizers: optimizers.SGD(lr=0.1, momentum=0.9), often=True),
    "sgd_nesterov": replace(
        REGRESSION, optimizer=lambda optimizers: optimizers.SGD(lr=0.1, momentum=0.9, nesterov=True)
    ),
    "sgd_decay": replace(
        REGRESSION, optimizer=lambda optimizers: optimizers.SGD(lr=0.2, decay=0.05, momentum=0.8), often=True
    ),
    "adagrad": replace(REGRESSION, optimizer=lambda optimizers: optimizers.Adagrad(lr=0.1)),
    "adadelta": replace(REGRESSION, optimizer=lambda optimizers: optimizers.Adadelta(lr=1.0)),
    "adamax": replace(REGRESSION, optimizer=lambda optimizers: optimizers.Adamax(lr=0.02)),
    "nadam": replace(REGRESSION, optimizer=lambda optimizers: optimizers.Nadam(lr=0.02)),
    "clipnorm": replace(
        REGRESSION, optimizer=lambda optimizers: optimizers.SGD(lr=0.2, momentum=0.5, clipnorm=0.15), often=True
    ),
    "clipvalue": replace(REGRESSION, optimizer=lambda optimizers: optimizers.SGD(lr=0.2, clipvalue=0.03)),
}

LOSSES: dict[str, Case] = {
    "loss_mae": replace(REGRESSION, loss="mae", metrics=("mse",)),
    "loss_msle": replace(REGRESSION, layers=ended_by("softplus"), loss="msle", y="positive"),
    "loss_mape": replace(
        REGRESSION, loss="mape", y="positive", optimizer=lambda optimizers: optimizers.SGD(lr=0.0005, momentum=0.8)
    ),
    "loss_logcosh": replace(REGRESSION, loss="logcosh"),
    "loss_poisson": replace(REGRESSION, layers=ended_by("softplus"), loss="poisson", y="positive"),
    "loss_hinge": replace(REGRESSION, layers=ended_by("tanh"), loss="hinge", y="signs"),
    "loss_squared_hinge": replace(REGRESSION, layers=ended_by("tanh"), loss="squared_hinge", y="signs"),
    "loss_categorical_hinge": replace(REGRESSION, loss="categorical_hinge", y="onehot"),
    "loss_kld": replace(CLASSIFICATION, loss="kullback_leibler_divergence", metrics=(), y="distribution"),
    "loss_cosine": replace(REGRESSION, loss="cosine_similarity"),
    "loss_binary": replace(
        REGRESSION,
        layers=ended_by("sigmoid"),
        loss="binary_crossentropy",
        metrics=("acc", "mse"),
        y="binary",
        optimizer=lambda optimizers: optimizers.Adam(lr=0.05),
    ),
    "loss_categorical": replace(CLASSIFICATION, metrics=("acc", "mse", "mae")),
    "loss_sparse": replace(CLASSIFICATION, loss="sparse_categorical_crossentropy", y="classes", often=True),
}


def step_weighted(run: Run) -> None:
    run.fit(epochs=EPOCHS, batch_size=SHORT, sample_weight=run.data["step_weights"])


EVERY_STEP = Case(
    lambda layers: [
        layers.LSTM(4, return_sequences=True, input_shape=(STEPS, FEATURES)),
        layers.TimeDistributed(layers.Dense(3, activation="softmax")),
    ],
    loss="categorical_crossentropy",
    metrics=("acc",),
    y="onehot_steps",
)

LAYERS: dict[str, Case] = {
    "dense_alone": Case(
        lambda layers: [
            layers.Dense(6, input_dim=FEATURES, activation="relu"),
            layers.Dense(3),
            layers.Activation("softmax"),
        ],
        loss="categorical_crossentropy",
        metrics=("acc",),
        x="x_flat",
        y="onehot",
    ),
    "stacked": Case(
        lambda layers: [
            layers.LSTM(5, return_sequences=True, input_shape=(STEPS, FEATURES)),
            layers.LSTM(4),
            layers.Dense(3),
        ],
        optimizer=lambda optimizers: optimizers.Adam(lr=0.02),
        metrics=("mae",),
        often=True,
    ),
    "hard_sigmoid": Case(
        lambda layers: [
            layers.LSTM(4, recurrent_activation="hard_sigmoid", input_shape=(STEPS, FEATURES)),
            layers.Dense(3, activation="hard_sigmoid"),
        ]
    ),
    "relu_without_bias": Case(
        lambda layers: [
            layers.LSTM(4, activation="relu", use_bias=False, input_shape=(STEPS, FEATURES)),
            layers.Dense(3, use_bias=False),
        ]
    ),
    "gru_reset_after": Case(
        lambda layers: [layers.GRU(4, reset_after=True, input_shape=(STEPS, FEATURES)), layers.Dense(3)], often=True
    ),
    "gru_reset_before": Case(
        lambda layers: [
            layers.GRU(4, reset_after=False, recurrent_activation="hard_sigmoid", input_shape=(STEPS, FEATURES)),
            layers.Dense(3),
        ],
        often=True,
    ),
    "simple_rnn": Case(
        lambda layers: [
            layers.SimpleRNN(5, return_sequences=True, input_shape=(STEPS, FEATURES)),
            layers.SimpleRNN(4, activation="relu"),
            layers.Dense(3),
        ],
        optimizer=lambda optimizers: optimizers.SGD(lr=0.1, momentum=0.5),
        often=True,
    ),
    "bidirectional": Case(
        lambda layers: [layers.Bidirectional(layers.LSTM(3), input_shape=(STEPS, FEATURES)), layers.Dense(3)],
        often=True,
    ),
    "bidirectional_sum": Case(
        lambda layers: [
            layers.Bidirectional(
                layers.LSTM(3, return_sequences=True), merge_mode="sum", input_shape=(STEPS, FEATURES)
            ),
            layers.Bidirectional(layers.GRU(3, reset_after=True), merge_mode="mul"),
            layers.Dense(3),
        ]
    ),
    "bidirectional_ave": Case(
        lambda layers: [
            layers.Bidirectional(
                layers.LSTM(3, return_sequences=True), merge_mode="ave", input_shape=(STEPS, FEATURES)
            ),
            layers.TimeDistributed(layers.Dense(3)),
        ],
        y="real_steps",
    ),
    "masked_bidirectional": Case(
        lambda layers: [
            layers.Masking(NOTHING, input_shape=(STEPS, FEATURES)),
            layers.Bidirectional(layers.LSTM(3)),
            layers.Dense(3),
        ],
        x="x_with_gaps",
    ),
    "go_backwards": Case(
        lambda layers: [
            layers.LSTM(4, go_backwards=True, return_sequences=True, input_shape=(STEPS, FEATURES)),
            layers.GRU(3, go_backwards=True, reset_after=True),
            layers.Dense(3),
        ]
    ),
    "time_distributed": replace(EVERY_STEP, often=True),
    "step_weights": replace(EVERY_STEP, train=step_weighted),
    "dense_at_every_step": Case(
        lambda layers: [
            layers.LSTM(4, return_sequences=True, input_shape=(STEPS, FEATURES)),
            layers.Dense(3, activation="softmax"),
        ],
        loss="sparse_categorical_crossentropy",
        metrics=("acc",),
        y="class_steps",
    ),
    "encoder_decoder": Case(
        lambda layers: [
            layers.LSTM(4, input_shape=(STEPS, FEATURES)),
            layers.RepeatVector(STEPS),
            layers.LSTM(5, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
        ],
        y="real_steps",
    ),
    "flatten": Case(
        lambda layers: [
            layers.LSTM(3, return_sequences=True, input_shape=(STEPS, FEATURES)),
            layers.Flatten(),
            layers.Dense(3),
        ]
    ),
    "reshape_permute": Case(
        lambda layers: [
            layers.Permute((2, 1), input_shape=(STEPS, FEATURES)),
            layers.LSTM(4),
            layers.Reshape((2, 2)),
            layers.SimpleRNN(3),
            layers.Dense(3),
        ]
    ),
    "regularized": Case(
        lambda layers: [
            layers.LSTM(
                4,
                kernel_regularizer="l2",
                recurrent_regularizer="l1",
                bias_regularizer="l1_l2",
                input_shape=(STEPS, FEATURES),
            ),
            layers.Dense(3, kernel_regularizer="l2"),
        ],
        metrics=("mse",),
        train=fitted(validation_split=0.25),
        often=True,
    ),
}


def masked(layers: Any) -> list[Any]:
    return [
        layers.Masking(mask_value=NOTHING, input_shape=(STEPS, FEATURES)),
        layers.LSTM(4),
        layers.Dense(3),
    ]


def masked_encoder(layers: Any) -> list[Any]:
    return [
        layers.Masking(mask_value=NOTHING, input_shape=(STEPS, FEATURES)),
        layers.LSTM(4),
        layers.RepeatVector(STEPS),
        layers.LSTM(4, return_sequences=True),
        layers.TimeDistributed(layers.Dense(3)),
    ]


MASKS: dict[str, Case] = {
    "masked": Case(masked, x="x_with_gaps", often=True),
    "masked_row": Case(masked, x="x_without_row"),
    "masked_stack": Case(
        lambda layers: [
            layers.Masking(mask_value=NOTHING, input_shape=(STEPS, FEATURES)),
            layers.GRU(4, return_sequences=True, reset_after=True),
            layers.SimpleRNN(4),
            layers.Dense(3),
        ],
        x="x_with_gaps",
    ),
    # The loss of a batch is the mean of the steps that count; that of an epoch the mean of its batches, by their rows.
    "masked_steps": Case(
        lambda layers: [
            layers.Masking(mask_value=NOTHING, input_shape=(STEPS, FEATURES)),
            layers.LSTM(4, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3, activation="softmax")),
        ],
        loss="categorical_crossentropy",
        metrics=("acc",),
        x="x_with_gaps",
        y="onehot_steps",
        often=True,
    ),
    "masked_backwards": Case(
        lambda layers: [
            layers.Masking(mask_value=NOTHING, input_shape=(STEPS, FEATURES)),
            layers.LSTM(4, go_backwards=True),
            layers.Dense(3),
        ],
        x="x_with_gaps",
    ),
    "masked_encoder": Case(masked_encoder, x="x_with_gaps", y="real_steps"),
    "embedding": Case(
        lambda layers: [layers.Embedding(6, 3, input_length=STEPS), layers.LSTM(4), layers.Dense(3)],
        optimizer=lambda optimizers: optimizers.Adam(lr=0.03),
        x="ids",
    ),
    "embedding_mask_zero": replace(
        CLASSIFICATION,
        layers=lambda layers: [
            layers.Embedding(6, 3, mask_zero=True, input_length=STEPS),
            layers.LSTM(4),
            layers.Dense(3, activation="softmax"),
        ],
        optimizer=lambda optimizers: optimizers.Adam(lr=0.03),
        x="ids_with_gaps",
        often=True,
    ),
    "embedding_mask_zero_steps": Case(
        lambda layers: [
            layers.Embedding(6, 3, mask_zero=True, input_length=STEPS),
            layers.LSTM(4, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
        ],
        optimizer=lambda optimizers: optimizers.SGD(lr=0.3),
        metrics=("mae",),
        x="ids_with_gaps",
        y="real_steps",
    ),
    "embedding_flatten": Case(
        lambda layers: [layers.Embedding(6, 3, input_length=STEPS), layers.Flatten(), layers.Dense(3)],
        optimizer=lambda optimizers: optimizers.SGD(lr=0.1),
        x="ids",
    ),
}

CASES: dict[str, Case] = {**OPTIMIZERS, **LOSSES, **LAYERS, **MASKS, **STATES, **SCRIPTS}
