"""What can run a network: each backend turns a network and its weights into a program."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.program import Program

DEFAULT_BACKEND = "numba"


def _numba(network: Network, weights: Mapping[str, np.ndarray]) -> Program:
    from npmobilenet.engine import NumbaProgram  # imports Numba

    return NumbaProgram(network, weights)


BACKENDS: dict[str, Callable[[Network, Mapping[str, np.ndarray]], Program]] = {
    "numba": _numba,
    "numpy": NumpyProgram,
}


def compile_network(
    network: Network, weights: Mapping[str, np.ndarray], backend: str = DEFAULT_BACKEND
) -> Program:
    """A program that runs ``network`` with ``weights``.

    Parameters
    ----------
    network : Network
    weights : mapping of str to ndarray
        Every variable as ``"layer/variable"``.
    backend : str
        ``"numba"``: compiled kernels, float32; where ``NUMBA_DISABLE_JIT`` keeps Numba from
        compiling, the numpy backend instead, with a warning. ``"numpy"``: the reference, layer by
        layer, float32 or float64.

    Raises
    ------
    ValueError
        If there is no such backend.
    WeightsMismatchError
        If the weights do not fit the network.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {sorted(BACKENDS)}, found {backend!r}")
    used = usable_backend(backend)
    if used != backend:
        warnings.warn(
            f"NUMBA_DISABLE_JIT is set, so that no kernels are compiled: the {used} backend runs "
            f"instead of {backend}, which is slower",
            stacklevel=2,
        )
    return BACKENDS[used](network, weights)


def usable_backend(backend: str) -> str:
    """The backend that runs where ``backend`` is asked for."""
    if backend != "numba":
        return backend
    from npmobilenet.kernels.jit import COMPILED  # Numba takes longer to import than all the rest

    return backend if COMPILED else "numpy"
