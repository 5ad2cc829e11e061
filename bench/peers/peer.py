"""What a benchmark asks of a library."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from npmobilenet.architecture import Network

Run = Callable[[], np.ndarray]


class Peer(ABC):
    """A library: `export` writes its own file once, `load` reads it and gives one timed call.

    ``load`` imports its library itself, and nothing that a user of that library would not need:
    cold start and memory are measured on it. The call that it returns takes no arguments, because
    a layout that the library prefers is no part of what is timed.
    """

    name: str
    title: str
    packages: ClassVar[tuple[str, ...]]
    tolerance: ClassVar[float] = 1e-3
    """Largest error of a probability's logarithm (or of an output, relative to the largest)."""
    is_float32: ClassVar[bool] = True
    only_batches: ClassVar[bool] = False

    @abstractmethod
    def export(
        self, network: "Network", weights: Mapping[str, np.ndarray], batch_size: int, path: Path
    ) -> None:
        """Write the network to ``path``, a name without suffix that the peer may extend."""

    @abstractmethod
    def load(self, path: Path, batch: np.ndarray, threads: int) -> Run:
        """Read what `export` wrote; the call gives the output for ``batch`` (NHWC, float32)."""

    def prepare(
        self,
        network: "Network",
        weights: Mapping[str, np.ndarray],
        batch: np.ndarray,
        threads: int,
    ) -> Run:
        """`export` and `load` in one."""
        with TemporaryDirectory() as folder:
            path = Path(folder, "model")
            self.export(network, weights, len(batch), path)
            return self.load(path, batch, threads)
