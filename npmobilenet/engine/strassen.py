"""Which pointwise convolutions are done by Strassen's product, and how they are shared out."""

from collections.abc import Mapping
from typing import Any

from npmobilenet.engine.shares import Share, at_most, equal
from npmobilenet.engine.steps import Convolution, Inverted, Separable, Step
from npmobilenet.kernels.blocks import PANEL

_SUMMED = 60000  # floats whose sums fit L2
_FEWEST = 64  # pixels of a unit, each of which reads all weights
_NARROWEST = 256  # channels behind a depthwise convolution: with fewer the sums are no gain
_NARROWEST_ALONE = 512  # channels of others, whose pixels are not in L1


def choose_strassen(steps: list[Step], shapes: Mapping[str, tuple[Any, ...]]) -> None:
    """Mark the wide layers of more than one pixel.

    It depends on the network alone, not on threads or batch, so values do not depend on them.

    Parameters
    ----------
    steps : list of Step
        Fused already: an expansion is wide as well, but runs some channels at a time.
    shapes : mapping of str to tuple
        Of a sample at every node; sizes may be unknown.
    """
    for step in steps:
        match step:
            case Convolution():
                layer, least = step, _NARROWEST_ALONE
            case Separable():
                layer, least = step.pointwise, _NARROWEST
            case Inverted():
                layer, least = step.project, _NARROWEST_ALONE
            case _:
                continue
        pixels = set(shapes[step.name][:-1])
        depth, columns = layer.kernel.shape[2:]
        wide = is_wide(depth, columns, least)
        layer.strassen = layer.pointwise and not pixels <= {1} and wide


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
