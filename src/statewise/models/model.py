"""What the parts of a model ask of it: fit, evaluate, predict, save and the rest are functions of such a model."""

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


class Model(TrainedModel, Protocol):
    """A network with weights, and what it is compiled for."""

    seed: int
    train_state: TrainState
    """All that training changes; it is replaced, never changed in place."""

    state: State | None
    history: History | None
    measured: dict[str, Any] | None

    @property
    def layers(self) -> list[Layer]:
        """Its layers, each with its name."""

    @property
    def network(self) -> Network:
        """Its layers with their names and shapes; LifecycleError where the input is not known yet."""

    @property
    def params(self) -> NetworkParams:
        """Its weights; LifecycleError where the input is not known yet."""

    @property
    def reads_symbols(self) -> bool:
        """Whether its input is whole numbers, without an axis of features."""

    def built_for(self, x: object) -> Network:
        """Returns the network, built for `x` if it was not before, to be run in this process."""

    @property
    def settings(self) -> Settings:
        """What `compile` was told; LifecycleError where nothing."""

    @property
    def programs(self) -> Programs:
        """What trains and evaluates it; the optimizer's state is there from then on."""

    @property
    def reader(self) -> Reader:
        """What reads the data that it is trained and measured on."""

    def __call__(
        self, x: object, state: State | None = None, *, reset: object = None, mask: object = None
    ) -> tuple[Any, State]:
        """Returns the outputs for `x`, and the state after its last step."""

    def initial_state(self, batch: int) -> State:
        """Returns the state in which `batch` fresh sequences start."""

    def stream(self, *, engine: str = "auto") -> Stream:
        """Returns the model as a stream."""

    def to_artifact(self) -> Artifact:
        """Returns what a model file holds of it."""

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """Returns the model that `to_artifact` described."""

    def become(self, artifact: Artifact) -> None:
        """Takes over what a checkpoint of it holds."""
