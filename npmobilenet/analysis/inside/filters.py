"""The filters of a network: kernels that look at more than one pixel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Conv2D, DepthwiseConv2D, Layer, Network, SeparableConv2D
from npmobilenet.reference import FloatArray

_NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class FilterSummary:
    """The filters of one layer in numbers."""

    layer: str
    type: str
    kernel_size: tuple[int, int]
    filters: int
    largest: float
    """Magnitude of the largest weight."""
    negligible: int
    """Filters whose largest weight is below 1e-6 of the layer's largest."""
    centre: float
    """Median over the filters of the centre tap's share of all magnitudes: 1 passes the image
    through, 1/9 is an even 3 x 3."""
    balance: float
    """Median over the filters of ``|sum| / sum of magnitudes``: 1 is a smoother, 0 an edge
    detector, which sees nothing in an even area."""


def filters(network: Network, weights: Mapping[str, NDArray[Any]], layer: str) -> FloatArray:
    """The filters of a layer.

    Returns
    -------
    array
        ``(height, width, channels * multiplier)`` of a depthwise convolution, or
        ``(height, width, 3, filters)`` of a convolution over red, green and blue.

    Raises
    ------
    ValueError
        If there is no such layer, or it has no filters that can be drawn.
    """
    drawable = {node.name: node.layer for node in network if has_filters(network, node.name)}
    if layer not in drawable:
        raise ValueError(
            f"network {network.name!r} has no filters named {layer!r} that can be drawn, "
            f"expected one of {', '.join(drawable) or 'none'}"
        )
    kernel = weights[f"{layer}/{_kernel_name(drawable[layer])}"]
    if isinstance(drawable[layer], Conv2D):
        return kernel
    return kernel.reshape(*kernel.shape[:2], -1)


def has_filters(network: Network, layer: str) -> bool:
    """Whether a layer's kernels are images: one channel each, or red, green and blue."""
    node = network[layer]
    if isinstance(node.layer, DepthwiseConv2D | SeparableConv2D):
        return True
    if not isinstance(node.layer, Conv2D) or node.layer.kernel_size == (1, 1):
        return False
    return network.shapes[node.inputs[0]][-1] == 3


def filter_summaries(network: Network, weights: Mapping[str, NDArray[Any]]) -> list[FilterSummary]:
    """The filters of every layer that has any, in running order."""
    return [
        _summary(node.layer, filters(network, weights, node.name))
        for node in network
        if has_filters(network, node.name)
    ]


def _kernel_name(layer: Layer) -> str:
    return "depthwise_kernel" if isinstance(layer, SeparableConv2D) else "kernel"


def _summary(layer: Layer, kernel: FloatArray) -> FilterSummary:
    height, width, count = kernel.shape[0], kernel.shape[1], kernel.shape[-1]
    taps = kernel.reshape(height, width, -1, count).astype(np.float64)
    size = np.abs(taps)
    total = size.sum(axis=(0, 1, 2))
    used = total > 0
    centre = size[height // 2, width // 2].sum(axis=0)
    largest = size.max(axis=(0, 1, 2))
    return FilterSummary(
        layer=layer.name,
        type=type(layer).__name__,
        kernel_size=(height, width),
        filters=count,
        largest=float(largest.max()),
        negligible=int(np.sum(largest <= _NEGLIGIBLE * largest.max())),
        centre=_median(centre[used] / total[used]),
        balance=_median(np.abs(taps.sum(axis=(0, 1, 2)))[used] / total[used]),
    )


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if values.size else 0.0
