"""The interface of a model that fit, evaluate, predict, save and the other functions use."""

from __future__ import annotations

from typing import Any, Protocol, Self

from statewise.layers import Layer
from statewise.models.reader import Reader
from statewise.models.settings import Settings
from statewise.models.train_state import TrainState
from statewise.network import Network, NetworkParams
from statewise.state import State
from statewise.storage.artifact import Artifact
from statewise.streaming import Stream
from statewise.training.callbacks import TrainedModel
from statewise.training.history import History
from statewise.training.programs import Programs


class AnyModel(TrainedModel, Protocol):
    """A network with weights, and the settings it is compiled with."""

    kind: str
    """What a file calls models of its class."""

    seed: int
    form: str
    """In which outputs are returned: "one", a "list" or a "dict"."""

    train_state: TrainState
    """All that training changes; replaced, never modified in place."""

    state: State | None
    history: History | None
    measured: dict[str, Any] | None

    @property
    def layers(self) -> list[Layer]:
        """Its layers, each with its name."""

    @property
    def network(self) -> Network:
        """Its layers with their names and shapes; LifecycleError if the input is not known yet."""

    @property
    def params(self) -> NetworkParams:
        """Its weights; LifecycleError if the input is not known yet."""

    @params.setter
    def params(self, params: NetworkParams) -> None:
        """Replaces them."""

    @property
    def reads_symbols(self) -> bool:
        """Whether its input is integers, without a feature axis."""

    @property
    def returned_state(self) -> str | None:
        """The name of the layer whose state `predict` returns with the outputs; None if there is none."""

    def built_for(self, x: object) -> Network:
        """Returns the network, built for `x` if necessary; checks that JAX can run in this process."""

    @property
    def settings(self) -> Settings:
        """The arguments of `compile`; LifecycleError if the model is not compiled."""

    @property
    def programs(self) -> Programs:
        """The programs that train and evaluate it; creates the optimizer's state."""

    @property
    def reader(self) -> Reader:
        """The reader of its training and evaluation data."""

    def __call__(
        self, x: object, state: State | None = None, *, reset: object = None, mask: object = None
    ) -> tuple[Any, State]:
        """Returns the outputs for `x`, and the state after its last step."""

    def initial_state(self, batch: int) -> State:
        """Returns the initial state of `batch` sequences."""

    def stream(self, *, engine: str = "auto") -> Stream:
        """Returns a stream of the model."""

    def to_artifact(self) -> Artifact:
        """Returns the contents of its model file."""

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Returns the model from the contents of its file."""

    def become(self, artifact: Artifact) -> None:
        """Restores the model from one of its checkpoints."""
