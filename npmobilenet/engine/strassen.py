"""Which pointwise convolutions are done by Strassen's product, and how they are shared out."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine.magnitudes import Magnitudes, equalizing, magnitudes
from npmobilenet.engine.shares import Share, at_most, equal
from npmobilenet.engine.steps import Convolution, Inverted, Separable, Step
from npmobilenet.kernels.blocks import PANEL
from npmobilenet.kernels.strassen import powers_of_columns

_SUMMED = 60000  # floats whose sums fit L2
_FEWEST = 64  # pixels of a unit, each of which reads all weights
_NARROWEST = 256  # channels behind a depthwise convolution: with fewer the sums are no gain
_NARROWEST_ALONE = 512  # channels of others, whose pixels are not in L1

_GROWTH = 16.0
"""How much larger than an ordinary product's the rounding error of a column may be, estimated.

2.4 if channels are alike; in the columns of V1 with trained weights at most 12.6, and 8 in all but
one of a hundred.
"""


def choose_strassen(
    steps: list[Step], shapes: Mapping[str, tuple[Any, ...]], channels: int
) -> None:
    """Mark the wide layers of more than one pixel whose channels are of like size.

    Its sums mix channels. Where those differ much in size, and weights make up for it, the small
    ones are lost in the rounding of the large ones.

    It depends on the network alone, not on threads or batch, so values do not depend on them.

    Parameters
    ----------
    steps : list of Step
        Fused already: an expansion is wide as well, but runs some channels at a time.
    shapes : mapping of str to tuple
        Of a sample at every node; sizes may be unknown.
    channels : int
        Of the input.
    """
    wide = [layer for step in steps for layer in _candidates(step, shapes)]
    read = magnitudes(steps, channels) if wide else {}
    for layer in wide:
        layer.strassen = growth(layer.kernel[0, 0], read[layer]) <= _GROWTH


def _candidates(step: Step, shapes: Mapping[str, tuple[Any, ...]]) -> Iterator[Convolution]:
    match step:
        case Convolution():
            layer, least = step, _NARROWEST_ALONE
        case Separable():
            layer, least = step.pointwise, _NARROWEST
        case Inverted():
            layer, least = step.project, _NARROWEST_ALONE
        case _:
            return
    pixels = set(shapes[step.name][:-1])
    depth, columns = layer.kernel.shape[2:]
    if layer.pointwise and not pixels <= {1} and is_wide(depth, columns, least):
        yield layer


def growth(matrix: NDArray[Any], read: Magnitudes | None) -> float:
    """How much larger Strassen's rounding error is than an ordinary product's.

    The largest over columns of the ratio of root mean squares, each the norm of all products that
    are added.

    Parameters
    ----------
    matrix : array (K, N)
        Its columns may differ in size: they are packed alike.
    read : array (K,), optional
        Size of each channel that is read; ``None`` where nothing is known.
    """
    matrix = np.asarray(matrix, np.float32) / powers_of_columns(matrix)
    if read is None:
        return max(growth(matrix, one) for one in (np.ones(len(matrix)), equalizing(matrix)))
    read = read / (read.max(initial=0.0) or 1.0)
    (b11, b12), (b21, b22) = (np.hsplit(half, 2) for half in np.vsplit(matrix, 2))
    x1, x2 = np.split(np.square(read).astype(np.float32), 2)
    p = [
        factor @ np.square(weights)
        for factor, weights in (
            (x1, b12 - b22),
            (x2, b21 - b11),
            (x1 + x2, b11),
            (x1 + x2, b22),
            (x1 + x2, b11 + b22),
            (2 * x1, b11 + b12),
            (2 * x2, b21 + b22),
        )
    ]
    left, right = (
        x1 @ np.square(b11) + x2 @ np.square(b21),
        x1 @ np.square(b12) + x2 @ np.square(b22),
    )
    ordinary = np.concatenate([left, right, left, right])
    found = np.concatenate(
        [p[4] + p[1] + p[3] + p[6], p[0] + p[3], p[2] + p[1], p[4] + p[2] + p[0] + p[5]]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(found > 0, found / ordinary, 0.0)
    return float(np.sqrt(ratio.max(initial=0.0)))


def is_wide(depth: int, columns: int, least: int = _NARROWEST) -> bool:
    """Whether a pointwise convolution has so many channels, and halves of whole panels.

    By default as many as the narrowest has that Strassen's product may be used for.
    """
    whole = depth % (2 * PANEL) == columns % (2 * PANEL) == 0
    return whole and min(depth, columns) >= least


def shared_rows(height: int, width: int, channels: int, threads: int) -> tuple[Share, int]:
    """Units of a depthwise separable block, and how many rows its depthwise part does at a time.

    Both begin at an even pixel: which pixels are a pair must not depend on threads.
    """
    at_once = 1 + width % 2
    most = max(1, _most(channels) // (width * at_once))
    return at_most(-(-height // at_once), most, threads).times(at_once), at_once


def shared_product(pixels: int, depth: int, columns: int, threads: int) -> tuple[Share, int]:
    """Pixels of the units of a product, and columns of its left half: few pixels are not cut."""
    half = columns // 2
    if threads > 1 and pixels <= _FEWEST:
        return equal(pixels, 1), PANEL * -(-half // PANEL // threads)
    return at_most(-(-pixels // 2), _most(depth) // 2, threads).times(2), half


def _most(channels: int) -> int:
    return max(_FEWEST, _SUMMED // channels)
