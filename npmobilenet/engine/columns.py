"""Groups of columns of the table, which several kinds of operations have."""

from npmobilenet.architecture.padding import output_size
from npmobilenet.engine import table as t
from npmobilenet.engine.packing import Packed
from npmobilenet.engine.shares import Share
from npmobilenet.engine.steps import Depthwise, Linear, Pool, Sample, padding_of
from npmobilenet.kernels.window import Window

Row = dict[int, int]


def weight_facts(column: int, place: Packed) -> Row:
    """Where a layer's packed weights lie, from a column on."""
    return {column: place.kernel, column + 1: place.norm, column + 2: place.limits}


def span_facts(share: Share) -> Row:
    """Which rows each unit has."""
    return {t.TOTAL: share.total, t.PARTS: share.parts, t.SMALL: share.small, t.GRAIN: share.grain}


def window_facts(layer: Linear | Pool, source: Sample, channels: int, out: Sample) -> Row:
    """The window of a layer over ``channels`` channels, each filtered by itself or together."""
    size = source[:2]
    (above, _), (left, _) = padding_of(layer, source)
    sizes = (*size, channels, out[0], out[1])
    kernel = layer.kernel_size or size
    window = Window(*sizes, *kernel, *layer.strides, *layer.dilation, above, left)
    return {t.WINDOW + i: value for i, value in enumerate(window)}


def depthwise_shape(layer: Depthwise, source: Sample) -> Sample:
    """The shape behind a depthwise convolution, also one that is not the end of its step."""
    padding = padding_of(layer, source)
    height, width = map(
        output_size, source, layer.kernel_size, layer.strides, padding, layer.dilation
    )
    assert height is not None  # noqa: S101
    assert width is not None  # noqa: S101
    return height, width, source[2] * layer.multiplier
