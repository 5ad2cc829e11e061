"""How the rows of an operation are cut into units, and which units lie next to each other.

Units are numbered from the first row to the last, and each thread begins with as many neighbours as
any other (:mod:`npmobilenet.engine.execute`). So a thread has the same part of the image in
operation after operation, and what it reads is in the cache of its own core.
"""

from typing import NamedTuple

_LEAST = 7  # rows of a thread that are worth to be cut once more


class Share(NamedTuple):
    """``total`` groups of ``grain`` rows in ``parts`` parts, whose sizes differ by one group.

    If ``small`` is not 0, each part is two units: all but its last ``small`` groups, and these.
    Rows may stand for pixels.
    """

    total: int
    parts: int
    small: int = 0
    grain: int = 1

    @property
    def units(self) -> int:
        return self.parts if self.small == 0 else 2 * self.parts

    @property
    def rows(self) -> int:
        """The rows of the largest unit."""
        return self.grain * (-(-self.total // self.parts) - self.small)

    def times(self, size: int) -> "Share":
        """The rows of groups of so many rows, which a share was made of."""
        return self._replace(grain=size * self.grain)


def equal(total: int, parts: int) -> Share:
    """So many units, or as many as there are rows."""
    return Share(total, min(total, parts))


def at_most(total: int, most: int, threads: int) -> Share:
    """Units of no more than ``most`` rows (or one), as many for each thread."""
    return equal(total, threads * -(-total // (max(1, most) * threads)))


def guided(total: int, threads: int) -> Share:
    """Two units for each thread: the second is small, for whoever is ready first.

    Cores are seldom equally fast: others use them too. Few units are an advantage where each
    reads all weights.
    """
    each = total // threads
    if threads == 1 or each < _LEAST:
        return equal(total, threads)
    return Share(total, threads, each // _LEAST)


def waste(parts: int, threads: int, work: float) -> float:
    """How much longer threads take with such parts than if they could share the work evenly.

    ``work`` is that of whole parts; the last may have less.
    """
    return -(-parts // threads) * threads / work
