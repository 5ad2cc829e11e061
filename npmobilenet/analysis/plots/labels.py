"""Short texts beside points, placed so that none lies on another or on a point."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[float, float, float, float]

_RINGS = (1.0, 1.8, 2.8, 4.0, 5.5)
_DIRECTIONS = ((1, 0), (0, 1), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


def place_labels(
    axes: "Axes",
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    obstacles: Sequence[tuple[float, float]] = (),
    fontsize: float = 7.0,
) -> None:
    """Write a text beside each point, near it, with a thin line where it had to move away.

    The limits of the axes must be final. Points that are close to each other share no place:
    nearer places are tried first, around each point, and the last is taken where all are full.

    Parameters
    ----------
    axes : Axes
    points, texts
        As many of each.
    obstacles
        Further points that no text may cover.
    fontsize : float
    """
    unit = fontsize * axes.figure.dpi / 72  # pixels
    half = unit / 2
    pixels = [axes.transData.transform(point) for point in (*points, *obstacles)]
    taken: list[Box] = [(x - half, y - half, x + half, y + half) for x, y in pixels]
    for point, text, (x, y) in zip(points, texts, pixels, strict=False):
        width, height = 0.62 * unit * len(text), unit
        for ring, (across, up) in product(_RINGS, _DIRECTIONS):
            left = x + across * (ring * unit * 0.8 + width / 2) - width / 2
            low = y + up * ring * unit * 0.9 - height / 2
            box = (left, low, left + width, low + height)
            if not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        offset = (left + width / 2 - x, low - y)
        axes.annotate(
            text,
            point,
            xytext=(offset[0] * 72 / axes.figure.dpi, offset[1] * 72 / axes.figure.dpi),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=fontsize,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "0.5"}
            if ring > _RINGS[0]
            else None,
        )


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
