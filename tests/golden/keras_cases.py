"""Small training runs as plain data: Keras records them, statewise must repeat them.

The generator (`make_keras_trajectories.py`) reads the class names as Keras's, the test as statewise's. A case
varies one thing; the losses, target shapes and metrics are spread over the cases that have them to spare.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict

EPOCHS = 12

# A class name and its keyword arguments. An argument that is itself such a pair is a learning rate schedule.
Spec: TypeAlias = tuple[str, dict[str, Any]]


class Case(TypedDict):
    """One training run; the shapes leave out the batch.

    `classes` and `vocabulary` are the exclusive upper bounds of the class and input ids, None where there are
    none; "distinct ids" are ids of which no batch holds one twice. `weight_scale` multiplies all initial weights
    (see `random_weights` in the generator); `unclipped` says that it brings probabilities past Keras's clip.
    """

    layers: list[Spec]
    input_shape: tuple[int, ...]
    input_kind: Literal["float", "ids", "distinct ids"]
    vocabulary: int | None
    target_shape: tuple[int, ...]
    target_kind: Literal["onehot", "classes", "binary", "real"]
    classes: int | None
    optimizer: Spec
    loss: str
    metrics: list[str]
    rows: int
    batch_size: int
    validation_rows: int
    sample_weight: Literal["rows", "steps"] | None
    weight_scale: float
    unclipped: bool


# The problem of the optimiser cases: 3 steps an epoch, the last of them short.
REGRESSION: Case = {
    "layers": [("LSTM", {"units": 8}), ("Dense", {"units": 3})],
    "input_shape": (5, 2),
    "input_kind": "float",
    "vocabulary": None,
    "target_shape": (3,),
    "target_kind": "real",
    "classes": None,
    "optimizer": ("SGD", {"learning_rate": 0.2}),
    "loss": "mse",
    "metrics": ["mae"],
    "rows": 14,
    "batch_size": 6,
    "validation_rows": 0,
    "sample_weight": None,
    "weight_scale": 1.0,
    "unclipped": False,
}

CLASSIFICATION: Case = {
    **REGRESSION,
    "layers": [("LSTM", {"units": 10}), ("Dense", {"units": 5, "activation": "softmax"})],
    "target_shape": (5,),
    "target_kind": "onehot",
    "classes": 5,
    "loss": "categorical_crossentropy",
    "metrics": ["accuracy"],
    "rows": 18,
    "batch_size": 6,
}

EVERY_STEP: Case = {
    **CLASSIFICATION,
    "layers": [
        ("LSTM", {"units": 10, "return_sequences": True}),
        ("Dense", {"units": 5, "activation": "softmax"}),
    ],
    "target_shape": (5,),
    "target_kind": "classes",
    "loss": "sparse_categorical_crossentropy",
    "rows": 17,
    "batch_size": 7,
}

EMBEDDING: Case = {
    **CLASSIFICATION,
    "layers": [
        ("Embedding", {"input_dim": 20, "output_dim": 6}),
        ("LSTM", {"units": 12}),
        ("Dense", {"units": 20, "activation": "softmax"}),
    ],
    "input_shape": (5,),
    "input_kind": "ids",
    "vocabulary": 20,
    "target_shape": (1,),
    "target_kind": "classes",
    "classes": 20,
    "loss": "sparse_categorical_crossentropy",
    "rows": 37,
    "batch_size": 5,
}

CASES: dict[str, Case] = {
    "batch_of_one": {
        **CLASSIFICATION,
        "layers": [("LSTM", {"units": 32}), ("Dense", {"units": 26, "activation": "softmax"})],
        "input_shape": (3, 1),
        "target_shape": (26,),
        "classes": 26,
        "optimizer": ("Adam", {"learning_rate": 0.003}),
        "rows": 23,
        "batch_size": 1,
    },
    "stacked": {
        **CLASSIFICATION,
        "layers": [
            ("LSTM", {"units": 12, "return_sequences": True}),
            ("Dropout", {"rate": 0.0}),
            ("LSTM", {"units": 10}),
            ("Dense", {"units": 4, "activation": "softmax"}),
        ],
        "input_shape": (6, 3),
        "target_shape": (),
        "target_kind": "classes",
        "classes": 4,
        "optimizer": ("Adam", {"learning_rate": 0.01}),
        "loss": "sparse_categorical_crossentropy",
        "rows": 22,
        "batch_size": 8,
        "validation_rows": 9,
    },
    # Keras adds RMSprop's epsilon inside the square root; a large one shows it.
    "every_step": {
        **EVERY_STEP,
        "optimizer": ("RMSprop", {"learning_rate": 0.03, "rho": 0.8, "epsilon": 1e-4}),
        "validation_rows": 8,
    },
    "every_step_weights": {
        **EVERY_STEP,
        "optimizer": ("SGD", {"learning_rate": 0.5, "momentum": 0.8}),
        "sample_weight": "steps",
    },
    # More rows than the 32 of a default `evaluate` and `predict` batch.
    "embedding": {
        **EMBEDDING,
        "optimizer": ("SGD", {"learning_rate": 0.2, "momentum": 0.8}),
    },
    # Keras adds Adam's epsilon to the root of the uncorrected second moment; a large one shows it. Ids are distinct
    # because Keras on TensorFlow, unlike on JAX and unlike tf-keras 2, squares the gradients of an id's occurrences
    # before it adds them up: its Adam and RMSprop are themselves only where no id occurs twice in a batch.
    "embedding_adam": {
        **EMBEDDING,
        "layers": [
            ("Embedding", {"input_dim": 30, "output_dim": 6}),
            ("LSTM", {"units": 12}),
            ("Dense", {"units": 20, "activation": "softmax"}),
        ],
        "input_kind": "distinct ids",
        "vocabulary": 30,
        "optimizer": ("Adam", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-2}),
    },
    "sgd": REGRESSION,
    "sgd_nesterov": {
        **REGRESSION,
        "optimizer": ("SGD", {"learning_rate": 0.2, "momentum": 0.9, "nesterov": True}),
        "loss": "mae",
        "metrics": ["mse", "mae"],
    },
    "sgd_schedule": {
        **CLASSIFICATION,
        "layers": [
            ("LSTM", {"units": 10}),
            ("Dense", {"units": 5}),
            ("Activation", {"activation": "softmax"}),
        ],
        "optimizer": (
            "SGD",
            {
                "learning_rate": (
                    "ExponentialDecay",
                    {
                        "initial_learning_rate": 0.3,
                        "decay_steps": 7,
                        "decay_rate": 0.7,
                        "staircase": True,
                    },
                ),
                "momentum": 0.9,
            },
        ),
    },
    "rmsprop_centered": {
        **REGRESSION,
        "optimizer": (
            "RMSprop",
            {"learning_rate": 0.01, "momentum": 0.7, "epsilon": 1e-4, "centered": True},
        ),
        "loss": "huber",
        "metrics": ["mse"],
    },
    "adam_exponential_decay": {
        **REGRESSION,
        "optimizer": (
            "Adam",
            {
                "learning_rate": (
                    "ExponentialDecay",
                    {"initial_learning_rate": 0.03, "decay_steps": 10, "decay_rate": 0.6},
                )
            },
        ),
        "sample_weight": "rows",
    },
    # 36 steps in all: the last 6 run at the floor that `alpha` sets.
    "adam_cosine_decay": {
        **REGRESSION,
        "optimizer": (
            "Adam",
            {
                "learning_rate": (
                    "CosineDecay",
                    {"initial_learning_rate": 0.03, "decay_steps": 30, "alpha": 0.1},
                )
            },
        ),
        "loss": "huber",
        "validation_rows": 5,
    },
    # Clips each gradient tensor by its own norm, where `global_clipnorm` below takes the norm of all of them.
    "clipnorm": {
        **REGRESSION,
        "optimizer": ("SGD", {"learning_rate": 0.2, "momentum": 0.5, "clipnorm": 0.15}),
    },
    "clipvalue": {
        **REGRESSION,
        "optimizer": ("RMSprop", {"learning_rate": 0.005, "clipvalue": 0.05}),
    },
    "global_clipnorm": {
        **REGRESSION,
        "optimizer": ("Adam", {"learning_rate": 0.02, "global_clipnorm": 0.4}),
    },
    # The targets have one axis fewer than the predictions, [B] against [B, 1].
    "binary": {
        **CLASSIFICATION,
        "layers": [("LSTM", {"units": 8}), ("Dense", {"units": 1, "activation": "sigmoid"})],
        "target_shape": (),
        "target_kind": "binary",
        "classes": None,
        "optimizer": ("RMSprop", {"learning_rate": 0.01}),
        "loss": "binary_crossentropy",
        "metrics": ["accuracy", "mse"],
        "validation_rows": 7,
        "sample_weight": "rows",
    },
    "lstm_relu": {
        **REGRESSION,
        "layers": [
            ("LSTM", {"units": 8, "activation": "relu"}),
            ("Dense", {"units": 7, "activation": "relu"}),
            ("Dense", {"units": 6, "activation": "tanh"}),
            ("Dense", {"units": 3}),
        ],
        "metrics": ["mae", "mse"],
    },
    # The accuracy of real targets: none of them equals 0 or 1, so that it stays 0.
    "lstm_hard_sigmoid": {
        **REGRESSION,
        "layers": [
            ("LSTM", {"units": 8, "recurrent_activation": "hard_sigmoid", "return_sequences": True}),
            ("Dense", {"units": 1}),
        ],
        "target_shape": (5, 1),
        "optimizer": ("SGD", {"learning_rate": 0.4, "momentum": 0.6}),
        "loss": "huber",
        "metrics": ["mae", "accuracy"],
        "sample_weight": "steps",
    },
    "no_bias": {
        **CLASSIFICATION,
        "layers": [
            ("LSTM", {"units": 10, "use_bias": False}),
            ("Dense", {"units": 5, "use_bias": False, "activation": "softmax"}),
        ],
        "optimizer": ("Adam", {"learning_rate": 0.02}),
        "sample_weight": "rows",
    },
    # Keras would clip probabilities to [1e-7, 1 - 1e-7], with no gradient past the clip; on TensorFlow it computes
    # the loss from the logits instead. Here some targets lie past the clip from the start, those of the validation
    # to the end.
    "unclipped_softmax": {
        **CLASSIFICATION,
        "layers": [
            ("LSTM", {"units": 8}),
            ("Dense", {"units": 12, "activation": "relu"}),
            ("Dense", {"units": 5, "activation": "softmax"}),
        ],
        "optimizer": ("SGD", {"learning_rate": 0.1}),
        "validation_rows": 7,
        "weight_scale": 6.0,
        "unclipped": True,
    },
    # The logits are found before a separate activation, too.
    "unclipped_sigmoid": {
        **CLASSIFICATION,
        "layers": [
            ("LSTM", {"units": 8}),
            ("Dense", {"units": 12, "activation": "relu"}),
            ("Dense", {"units": 3}),
            ("Activation", {"activation": "sigmoid"}),
        ],
        "target_shape": (3,),
        "target_kind": "binary",
        "classes": None,
        "loss": "binary_crossentropy",
        "metrics": ["binary_accuracy"],
        "optimizer": ("SGD", {"learning_rate": 0.1}),
        "validation_rows": 7,
        "weight_scale": 7.0,
        "unclipped": True,
    },
}
