"""What a callback or a History gets: numbers by name, under the names that any Keras gave them."""

from __future__ import annotations

from typing import Any

_SHORT = {
    "acc": "accuracy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}
_OTHER = {**_SHORT, **{full: short for short, full in _SHORT.items()}}


class Logs(dict[str, Any]):
    """A dict in which `acc` also finds `accuracy`, `val_mse` also `val_mean_squared_error`, and the reverse.

    >>> logs = Logs(val_acc=0.5)
    >>> logs["val_accuracy"], "val_accuracy" in logs, list(logs)
    (0.5, True, ['val_acc'])
    """

    def __missing__(self, name: str) -> Any:
        other = _other(name)
        if not dict.__contains__(self, other):
            raise KeyError(name)
        return self[other]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or dict.__contains__(self, _other(name))

    def in_both_spellings(self) -> Logs:
        """Returns the numbers under either of their names."""
        return Logs({_other(name): value for name, value in self.items()} | self)

    def get(self, name: str, default: Any = None) -> Any:
        """Returns the number of that name, in whichever spelling, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default


def _other(name: object) -> str:
    prefix, rest = ("val_", name[4:]) if isinstance(name, str) and name.startswith("val_") else ("", name)
    return f"{prefix}{_OTHER.get(rest, rest)}"  # type: ignore[call-overload]  # a name that is none finds nothing
