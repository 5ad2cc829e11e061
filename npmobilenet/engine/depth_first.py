"""Which steps run depth first as a chain, and how many rows of each are kept meanwhile."""

from collections.abc import Mapping
from math import prod

from npmobilenet.architecture.padding import window_extent
from npmobilenet.engine.steps import Convolution, Linear, Sample, Separable, Step

_LARGE = 1 << 17  # floats between two steps: 512 KB, as much as the L2 of many machines
_WEIGHTS = 1 << 15  # of a chain, floats: they have to stay in L2 as well

Shapes = Mapping[Step | None, Sample]


def window_layer(step: Step) -> Linear:
    """The layer of a chain's member that reads windows."""
    layer = step.depthwise if isinstance(step, Separable) else step
    assert isinstance(layer, Linear)  # noqa: S101
    return layer


def reach(outputs: int, layer: Linear, axis: int) -> int:
    """How many input rows (axis 0) or columns (axis 1) so many output ones are made from."""
    extent = window_extent(layer.kernel_size[axis], layer.dilation[axis])
    return (outputs - 1) * layer.strides[axis] + extent


def paces(members: list[Step], step: int) -> list[tuple[int, int]]:
    """For each member how many rows are computed at a time and how many are kept.

    ``step`` of the last at a time, whose rows are not kept but go to where they belong.
    """
    found, above = [(step, 0)], 0
    for member in members[:0:-1]:
        at_once, _ = found[-1]
        layer = window_layer(member)
        found.append((at_once * layer.strides[0], reach(max(at_once, above), layer, 0)))
        above = max(0, reach(above, layer, 0))  # what comes before the first step
    return found[::-1]


def groups(
    steps: list[Step], readers: Mapping[Step | None, list[int]], shapes: Shapes
) -> list[list[Step]]:
    """All steps in order, those that run as a chain in a group of their own.

    Parameters
    ----------
    steps : list of Step
    readers : mapping
        Numbers of the steps that read each step's result.
    shapes : mapping
        Of the result of each step.
    """
    found: list[list[Step]] = []
    for number, step in enumerate(steps):
        chain = found[-1] if found else []
        follows = bool(chain) and step.inputs == (chain[-1],) and readers[chain[-1]] == [number]
        if follows and _large(shapes[chain[-1]]) and _fit([*chain, step]):
            chain.append(step)
        else:
            found.append([step])
    return found


def _large(shape: Sample) -> bool:
    return prod(shape) >= _LARGE


def _fit(members: list[Step]) -> bool:
    """Whether these can be a chain, with weights that leave room for the rows."""
    possible = isinstance(members[0], Convolution | Separable) and all(
        isinstance(member, Separable) for member in members[1:]
    )
    possible = possible and not any(map(_unfit, members))
    return possible and sum(map(_weights, members)) <= _WEIGHTS


def _unfit(step: Step) -> bool:
    """Adds a residual, reads each channel several times, or has no window of its own."""
    if isinstance(step, Separable):
        return step.pointwise.adds or step.depthwise.multiplier > 1
    return not isinstance(step, Convolution) or step.adds or step.pointwise


def _weights(step: Step) -> int:
    if isinstance(step, Separable):
        return step.depthwise.kernel.size + step.pointwise.kernel.size
    assert isinstance(step, Convolution)  # noqa: S101
    return step.kernel.size
