"""Which steps run depth first: some rows of each in turn, instead of one step after the other.

What lies between two of them is then only a ring of rows, which never leaves the cache (L2), where
whole maps of 112 x 112 pixels would go out to L3 and come back.
"""

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from npmobilenet.engine.steps import Convolution, Linear, Sample, Separable, Step, padding_of, reach

_LARGE = 1 << 17  # floats between two steps: 512 KB, as much as the L2 of many machines
_WEIGHTS = 1 << 15  # of a chain, floats: they have to stay in L2 as well
_AT_ONCE = 224  # pixels of a chain's last step
_MOST = 896  # pixels of any step in one turn

Shapes = Mapping[Step | None, Sample]


class Turn(NamedTuple):
    """Rows ``[begin, end)`` of the result of a chain's member."""

    member: int
    begin: int
    end: int


def schedule(chain: list[Step], shapes: Shapes) -> tuple[list[Turn], list[int]]:
    """The turns of a chain in order, and how many rows of each member's result to keep.

    Whoever is next finds all rows that it reads among the last so many. All rows of the last
    member go to where they belong.
    """
    windows = [_window(member, shapes) for member in chain]
    heights = [shapes[member][0] for member in chain]
    step = max(1, _AT_ONCE // shapes[chain[-1]][1])
    turns: list[Turn] = []
    done, kept = [0] * len(chain), [1] * len(chain)
    # At first the others compute what they have above the first row of the last.
    for bottom in range(0, heights[-1] + step, step):
        ends = [min(bottom, heights[-1])]
        for (layer, above), height in zip(windows[:0:-1], heights[-2::-1], strict=True):
            ends.append(max(0, min(reach(ends[-1], layer, 0) - above, height)))
        for number, end in enumerate(reversed(ends)):
            if number > 0:
                layer, above = windows[number]
                top = max(0, done[number] * layer.strides[0] - above)
                kept[number - 1] = max(kept[number - 1], done[number - 1] - top)
            turns.append(Turn(number, done[number], end))
            done[number] = max(done[number], end)
    kept[-1] = heights[-1]
    most = [max(1, _MOST // shapes[member][1]) for member in chain]
    return [part for turn in turns for part in _parts(turn, most[turn.member], kept)], kept


def _parts(turn: Turn, most: int, kept: list[int]) -> list[Turn]:
    """A turn in equal parts, none of which goes over the end of the ring."""
    number, begin, stop = turn
    parts = []
    while begin < stop:
        pieces = -(-(stop - begin) // most)
        end = min(begin + -(-(stop - begin) // pieces), (begin // kept[number] + 1) * kept[number])
        parts.append(Turn(number, begin, end))
        begin = end
    return parts


def _window(step: Step, shapes: Shapes) -> tuple[Linear, int]:
    """The layer of a chain's member that reads windows, and the rows of zeros above."""
    layer = step.depthwise if isinstance(step, Separable) else step
    assert isinstance(layer, Linear)  # noqa: S101
    return layer, padding_of(layer, shapes[step.source])[0][0]


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
        only_reader = bool(chain) and readers.get(chain[-1]) == [number]
        if (
            only_reader
            and _can_begin(chain[0])
            and _can_follow(step)
            and prod(shapes[chain[-1]]) >= _LARGE
            and sum(map(_weights, [*chain, step])) <= _WEIGHTS
        ):
            chain.append(step)
        else:
            found.append([step])
    return found


def _can_follow(step: Step) -> bool:
    """A block that adds no residual and reads each channel once."""
    return (
        isinstance(step, Separable)
        and step.depthwise.multiplier == 1
        and not step.pointwise.adds
        and not step.pointwise.strassen
    )


def _can_begin(step: Step) -> bool:
    """Such a block, or a convolution with a window."""
    windowed = isinstance(step, Convolution) and not step.adds and not step.pointwise
    return windowed or _can_follow(step)


def _weights(step: Step) -> int:
    if isinstance(step, Separable):
        return step.depthwise.kernel.size + step.pointwise.kernel.size
    assert isinstance(step, Convolution)  # noqa: S101
    return step.kernel.size
