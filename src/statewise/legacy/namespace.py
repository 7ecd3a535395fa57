"""Which module of ours answers for which of Keras's, in all the places where Keras has lived."""

from __future__ import annotations

_ROOTS = (
    "keras",
    "tf_keras",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "tensorflow.contrib.keras",
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
)
_TENSORFLOW = (
    "tensorflow",
    "tensorflow.python",
    "tensorflow.contrib",
    "tensorflow.compat",
    "tensorflow.compat.v1",
    "tensorflow.compat.v2",
)
_PARTS = {  # ours: Keras's
    "layers": "layers layers.core layers.recurrent layers.embeddings layers.wrappers layers.normalization layers.noise"
    " layers.advanced_activations layers.convolutional layers.pooling layers.merge layers.local layers.cudnn_recurrent"
    " engine engine.topology engine.base_layer",
    "models": "models engine.training engine.sequential",
    "optimizers": "optimizers optimizers.schedules optimizers.legacy",
    "callbacks": "callbacks",
    "backend": "backend backend.tensorflow_backend",
    "regularizers": "regularizers",
    "initializers": "initializers initializations",
    "losses": "losses objectives",
    "metrics": "metrics",
    "activations": "activations",
    "keras_utils": "utils utils.np_utils utils.data_utils utils.generic_utils utils.vis_utils utils.visualize_util",
    "preprocessing": "preprocessing",
    "sequence": "preprocessing.sequence",
    "text": "preprocessing.text",
}

MODULES: dict[str, str] = {
    **dict.fromkeys(_TENSORFLOW, "statewise.legacy.tensorflow"),
    **dict.fromkeys(_ROOTS, "statewise.legacy"),
    **{
        f"{root}.{part}": f"statewise.legacy.{ours}"
        for root in _ROOTS
        for ours, parts in _PARTS.items()
        for part in parts.split()
    },
}
"""The module of ours by each dotted name that Keras or TensorFlow had for its like."""

_BELOW = {
    (MODULES[parent], last): ours
    for name, ours in MODULES.items()
    for parent, _, last in [name.rpartition(".")]
    if parent in MODULES
}


def submodule(module: str, name: str) -> str | None:
    """Returns which of our modules is the attribute `name` of Keras's `module`; None where it has none.

    One module of ours may answer for several; so it has what is below any of them.

    >>> submodule("keras.layers", "core"), submodule("tensorflow", "v1"), submodule("keras", "datasets")
    ('statewise.legacy.layers', 'statewise.legacy.tensorflow', None)
    """
    return _BELOW.get((MODULES[module], name))


def below(name: str) -> list[str]:
    """Returns the modules known directly below the module `name`, in their dotted names.

    >>> below("keras.preprocessing")
    ['keras.preprocessing.sequence', 'keras.preprocessing.text']
    """
    return [other for other in MODULES if other.rpartition(".")[0] == name]
