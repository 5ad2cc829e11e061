"""What can run a network: each backend turns a network and its weights into a program."""

from collections.abc import Callable, Mapping

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.interpreter import NumpyProgram, Program

DEFAULT_BACKEND = "numpy"

BACKENDS: dict[str, Callable[[Network, Mapping[str, np.ndarray]], Program]] = {
    "numpy": NumpyProgram,
}


def compile_network(
    network: Network, weights: Mapping[str, np.ndarray], backend: str = DEFAULT_BACKEND
) -> Program:
    """A program that runs ``network`` with ``weights``.

    Raises
    ------
    ValueError
        If there is no such backend, or the weights do not fit the network.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {sorted(BACKENDS)}, found {backend!r}")
    return BACKENDS[backend](network, weights)
