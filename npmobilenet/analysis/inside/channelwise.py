"""The variables of a layer, and what layers do that scale and shift each channel."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Layer, Network
from npmobilenet.interpreter import Variables, run_layer
from npmobilenet.reference import FloatArray


def layer_variables(network: Network, weights: Mapping[str, NDArray[Any]], layer: str) -> Variables:
    """The variables of one layer by their short names, in float64."""
    names = network.layer_variables(layer)
    return {name: weights[f"{layer}/{name}"].astype(np.float64) for name in names}


def scale_and_shift(
    layer: Layer, variables: Variables, channels: int
) -> tuple[FloatArray, FloatArray]:
    """Factor and summand of each channel of a layer that has no others, such as batch norm.

    Such a layer is known by what it makes of 0 and of 1. float64, ``(channels,)`` each.
    """
    zeros, ones = (np.full((1, 1, 1, channels), value, np.float64) for value in (0, 1))
    shift = run_layer(layer, variables, zeros)[0, 0, 0]
    return run_layer(layer, variables, ones)[0, 0, 0] - shift, shift
