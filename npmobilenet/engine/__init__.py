"""Runs networks with the compiled kernels of :mod:`npmobilenet.kernels`."""

from npmobilenet.engine.program import Activations, NumbaProgram

__all__ = ["Activations", "NumbaProgram"]
