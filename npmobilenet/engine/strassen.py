"""Which pointwise convolutions are done by Strassen's product."""

from collections.abc import Mapping
from typing import Any

from npmobilenet.engine.steps import Convolution, Inverted, Separable, Step
from npmobilenet.kernels.blocks import PANEL

_LEAST = 1 << 15  # weights: of a smaller layer the sums cost more than they save
_NARROWEST = 256


def choose_strassen(steps: list[Step], shapes: Mapping[str, tuple[Any, ...]]) -> None:
    """Mark the wide layers of many pixels.

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
                layer = step
            case Separable():
                layer = step.pointwise
            case Inverted():
                layer = step.project
            case _:
                continue
        pixels = set(shapes[step.name][:-1])
        layer.strassen = not pixels <= {1} and _suits(layer)


def _suits(layer: Convolution) -> bool:
    depth, columns = layer.kernel.shape[2:]
    return (
        layer.pointwise
        and depth * columns >= _LEAST
        and min(depth, columns) >= _NARROWEST
        and depth % (2 * PANEL) == columns % (2 * PANEL) == 0
    )
