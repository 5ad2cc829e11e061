"""What can run a network: each backend turns a network and its weights into a program."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Network
from npmobilenet.counts import whole_number
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.program import Program, check_batch
from npmobilenet.reference import FloatArray

DEFAULT_BACKEND = "numba"


class _Substitute(NumpyProgram):
    """The reference where compiled kernels were asked for, called as those are."""

    def __call__(self, x: FloatArray, threads: int | None = None) -> FloatArray:
        return super().__call__(self._taken(x, threads))

    def activations(self, x: FloatArray, threads: int | None = None) -> dict[str, FloatArray]:
        return super().activations(self._taken(x, threads))

    def _taken(self, x: FloatArray, threads: int | None) -> NDArray[np.float32]:
        if threads is not None:
            whole_number(threads, "threads")  # NumPy's BLAS decides how many there are
        check_batch(self.network, x)
        return x.astype(np.float32, copy=False)


def _numba(network: Network, weights: Mapping[str, np.ndarray]) -> Program:
    if usable_backend("numba") != "numba":
        warnings.warn(
            "NUMBA_DISABLE_JIT is set, so that no kernels are compiled: the numpy backend runs "
            "instead of numba, which is slower",
            stacklevel=3,
        )
        return _Substitute(network, weights)
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
    return BACKENDS[backend](network, weights)


def usable_backend(backend: str) -> str:
    """The backend that runs where ``backend`` is asked for."""
    if backend != "numba":
        return backend
    from npmobilenet.kernels.jit import COMPILED  # Numba takes longer to import than all the rest

    return backend if COMPILED else "numpy"
