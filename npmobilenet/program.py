"""A program: a network that has its weights and can be run."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Network, Shape
from npmobilenet.errors import WeightsMismatchError
from npmobilenet.reference import FloatArray


class Program(Protocol):
    """What every way of running a network offers. It is immutable: threads may share it."""

    @property
    def network(self) -> Network:
        """The network that runs."""

    def __call__(self, x: FloatArray, threads: int | None = None) -> FloatArray:
        """The network's output for a batch ``(N, *network.input_shape)``."""

    def activations(self, x: FloatArray, threads: int | None = None) -> dict[str, FloatArray]:
        """Every layer's output by the layer's name, in running order, the input included."""


def check_weights(network: Network, weights: Mapping[str, NDArray[Any]]) -> None:
    """Make sure that every variable of the network is there with its shape.

    Raises
    ------
    WeightsMismatchError
        Naming the first variable that does not fit, what was found and what was expected.
    """
    for name, shape in network.variables.items():
        if name not in weights:
            raise WeightsMismatchError(
                f"network {network.name!r} needs {name!r} of shape {shape}, which is missing"
            )
        if weights[name].shape != shape:
            raise WeightsMismatchError(
                f"network {network.name!r} needs {name!r} of shape {shape}, "
                f"found {weights[name].shape}"
            )


def own_weights(network: Network, weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The variables of a network as arrays that nobody writes to.

    Copies, unless they are such arrays already.

    Raises
    ------
    WeightsMismatchError
        As :func:`check_weights`.
    """
    check_weights(network, weights)
    return {name: _own(weights[name]) for name in network.variables}


def _own(array: NDArray[Any]) -> NDArray[Any]:
    if array.flags.owndata and not array.flags.writeable and type(array) is np.ndarray:
        return array
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy


def check_batch(network: Network, x: NDArray[Any]) -> None:
    """Make sure that ``x`` is a batch for this network, float32 or float64.

    Raises
    ------
    ValueError
        Saying what was found and what was expected.
    """
    shape = network.input_shape
    if x.shape[1:] != shape and not _fits(x.shape, (None, *shape)):
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(
            f"network {network.name!r} takes a batch of shape (any, {expected}), found {x.shape}"
        )
    if x.dtype.type not in (np.float32, np.float64):
        raise ValueError(f"network {network.name!r} takes float32 or float64, found {x.dtype}")


def _fits(found: tuple[int, ...], expected: Shape) -> bool:
    return len(found) == len(expected) and all(
        wanted in (None, size) for size, wanted in zip(found, expected, strict=True)
    )
