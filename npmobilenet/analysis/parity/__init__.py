"""Parity of two implementations of a network, with float64 as the judge of both."""

from npmobilenet.analysis.parity.difference import PERCENTILES, Difference, difference
from npmobilenet.analysis.parity.divergence import LayerRounding, layer_roundings
from npmobilenet.analysis.parity.report import LayerParity, Limits, Parity, parity
from npmobilenet.analysis.parity.subject import backend_outputs, stored_outputs

__all__ = [
    "PERCENTILES",
    "Difference",
    "LayerParity",
    "LayerRounding",
    "Limits",
    "Parity",
    "backend_outputs",
    "difference",
    "layer_roundings",
    "parity",
    "stored_outputs",
]
