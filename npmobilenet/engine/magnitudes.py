"""How large values are, channel by channel, as far as weights tell: an estimate.

The root mean square of each channel, if factors did not depend on each other and images had
channels of one size. Right within a small factor, where scales of channels may differ by thousands.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine.packing import linear_parts
from npmobilenet.engine.steps import Convolution, Copy, Depthwise, Linear, Softmax, Step

Magnitudes = NDArray[np.float64]

IMAGE_CHANNELS = 4  # more are features, of which nothing is known


def magnitudes(steps: list[Step], channels: int) -> dict[Any, Magnitudes | None]:
    """Of what each layer with weights reads, under the layer.

    ``None`` where nothing is known: channels may differ by any factor.

    Parameters
    ----------
    steps : list of Step
        Before their weights are packed.
    channels : int
        Of the input.
    """
    of_input = np.ones(channels) if channels <= IMAGE_CHANNELS else None
    results: dict[Step | None, Magnitudes | None] = {None: of_input}
    read: dict[Any, Magnitudes | None] = {}
    for step in steps:
        values = results[step.source]
        for layer in linear_parts(step):
            read[layer] = values
            values = _behind(layer, values)
            if isinstance(layer, Convolution) and layer.adds:
                added = results[layer.skip]
                values = None if values is None or added is None else np.hypot(values, added)
        if isinstance(step, Copy | Softmax):
            values = None  # pixels become channels, or all values one
        results[step] = values
    return read


def equalizing(matrix: NDArray[Any]) -> Magnitudes:
    """The channels' sizes with which all rows of a matrix count the same."""
    norms = np.sqrt(np.einsum("kn,kn->k", matrix, matrix))
    sizes: Magnitudes = 1 / np.maximum(norms, norms.max(initial=0.0) * 1e-30 + 1e-300)
    return sizes


def _behind(layer: Linear, values: Magnitudes | None) -> Magnitudes | None:
    kernel = np.asarray(layer.kernel, np.float64)
    if isinstance(layer, Depthwise):
        if values is None:
            return None
        norms = np.sqrt(np.einsum("hwc,hwc->c", kernel, kernel))
        sums = np.repeat(values, layer.multiplier) * norms
    else:
        matrix = kernel.reshape(-1, kernel.shape[-1])
        if values is None:
            values = equalizing(matrix)
        else:
            values = np.tile(values, kernel.shape[0] * kernel.shape[1])
        sums = np.sqrt(np.square(values) @ np.square(matrix))
    size = np.hypot(sums * np.abs(layer.scale), layer.bias)
    limited: Magnitudes = np.minimum(size, layer.high if layer.low >= 0 else np.inf)
    return limited
