"""Runs networks with the compiled kernels of :mod:`npmobilenet.kernels`."""

from npmobilenet.engine.program import Activations, NumbaProgram
from npmobilenet.engine.warmup import warm_up

__all__ = ["Activations", "NumbaProgram", "warm_up"]
