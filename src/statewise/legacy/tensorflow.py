"""tensorflow: `tf.keras`, the seeds, and the settings of devices and messages that scripts begin with."""

from __future__ import annotations

import logging as _logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from statewise.legacy.errors import lacking, not_there
from statewise.legacy.names import forget_names
from statewise.legacy.seeds import set_seed
from statewise.legacy.spellings import note

__version__ = "2.15.0"
"""The last TensorFlow whose `tf.keras` is Keras 2."""

set_random_seed = set_seed
float32, int32, int64 = np.float32, np.int32, np.int64


class _Names(SimpleNamespace):
    """A part of tensorflow with few names."""

    def __getattr__(self, name: str) -> Any:
        raise not_there(name, f"tensorflow's {name}", "docs/legacy.md lists what there is; leave it out")


class ConfigProto:
    """Settings of a session: any attribute can be set, and none has an effect."""

    def __init__(self, **options: Any) -> None:
        note("tf.ConfigProto(...)", "leave it out: JAX finds the devices by itself")
        self.gpu_options = SimpleNamespace(**options)


GPUOptions = ConfigProto


class Session:
    """A session without effect, also for use in a `with`."""

    def __init__(self, target: str = "", graph: object = None, config: object = None) -> None:
        note("tf.Session(...)", "leave it out: there is no graph")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""

    def close(self) -> None:
        """Ends it."""

    def __getattr__(self, name: str) -> Any:
        raise not_there(name, f"session.{name}", "there is no graph to run; call the model")


InteractiveSession = Session


def _list_devices(device_type: str | None = None) -> list[Any]:
    """Returns JAX's devices of a kind: "CPU", "GPU"."""
    import jax

    found = [SimpleNamespace(name=str(device), device_type=device.platform.upper()) for device in jax.devices()]
    return [device for device in found if device_type in (None, device.device_type)]


def _set_memory_growth(device: object, enable: bool) -> None:
    note("set_memory_growth(...)", "leave it out: XLA_PYTHON_CLIENT_PREALLOCATE=false in the environment does it")


def _set_verbosity(level: object) -> None:
    note("tf.logging.set_verbosity(...)", "leave it out")


def get_logger() -> _logging.Logger:
    """Returns a logger that says nothing."""
    return _logging.getLogger("statewise.legacy.tensorflow")


random = _Names(set_seed=set_seed, set_random_seed=set_seed)
logging = _Names(set_verbosity=_set_verbosity, DEBUG=10, INFO=20, WARN=30, WARNING=30, ERROR=40, FATAL=50)
config = _Names(
    list_physical_devices=_list_devices,
    experimental=_Names(list_physical_devices=_list_devices, set_memory_growth=_set_memory_growth),
)
test = _Names(is_gpu_available=lambda: bool(_list_devices("GPU")))


def get_default_graph() -> Any:
    """Returns None: there is no graph."""
    note("tf.get_default_graph()", "leave it out: there is no graph")


def disable_eager_execution() -> None:
    """Does nothing: there is no graph."""


enable_eager_execution = enable_v2_behavior = disable_v2_behavior = disable_eager_execution


@contextmanager
def device(name: str) -> Iterator[None]:
    """Returns a context that changes nothing: JAX finds the devices."""
    note("tf.device(...)", "leave it out: JAX finds the devices by itself")
    yield


version = _Names(VERSION=__version__)


def reset_default_graph() -> None:
    """Starts counting the names of layers again, as `keras.backend.clear_session`; there is no graph."""
    forget_names()


def executing_eagerly() -> bool:
    """Returns True: results are available immediately."""
    return True


__all__ = [
    "ConfigProto",
    "GPUOptions",
    "InteractiveSession",
    "Session",
    "config",
    "device",
    "disable_eager_execution",
    "disable_v2_behavior",
    "enable_eager_execution",
    "enable_v2_behavior",
    "executing_eagerly",
    "float32",
    "get_default_graph",
    "get_logger",
    "int32",
    "int64",
    "logging",
    "random",
    "reset_default_graph",
    "set_random_seed",
    "test",
    "version",
]

__getattr__ = lacking("tensorflow", __all__)
