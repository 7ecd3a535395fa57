"""What layers that multiply by one kernel have in common."""

from __future__ import annotations

from statewise.layers.base import Layer
from statewise.layers.regularizers import L1L2, check_regularizer
from statewise.operations import settle_function


class KernelLayer(Layer):
    """A layer whose output is `activation(x kernel + bias)`, of what it makes of x."""

    activation: str
    use_bias: bool
    kernel_regularizer: L1L2 | None
    bias_regularizer: L1L2 | None

    def _check_options(self) -> None:
        settle_function(self)
        for name in ("kernel_regularizer", "bias_regularizer"):
            check_regularizer(f"{type(self).__name__} {name}", getattr(self, name))

    @property
    def weight_names(self) -> tuple[str, ...]:
        return ("kernel", "bias") if self.use_bias else ("kernel",)

    @property
    def regularizers(self) -> dict[str, L1L2 | None]:
        return {"kernel": self.kernel_regularizer} | ({"bias": self.bias_regularizer} if self.use_bias else {})
