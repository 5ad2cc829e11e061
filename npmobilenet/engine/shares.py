"""How the rows of an operation are shared out as units, of which threads take one after another."""

from typing import NamedTuple

_LEAST = 7  # rows of a thread that are worth to be cut once more


class Share(NamedTuple):
    """``large`` units of ``rows`` rows, and after them units of ``rest`` rows.

    Rows may stand for pixels, or for tiles of them.
    """

    rows: int
    large: int
    rest: int
    units: int

    def times(self, size: int) -> "Share":
        """The rows of groups of so many rows, which a share was made of."""
        return self._replace(rows=size * self.rows, rest=size * self.rest)


def even(total: int, rows: int) -> Share:
    """Units of so many rows, the last of what is left."""
    units = -(-total // rows)
    return Share(rows, units, rows, units)


def rounds(total: int, most: int, threads: int) -> Share:
    """Units of no more than ``most`` rows, and as much work for each thread."""
    most = max(1, min(total, most))
    if threads == 1:
        return even(total, most)
    turns = -(-total // (most * threads))
    return even(total, -(-total // (turns * threads)))


def balanced(total: int, most: int, threads: int) -> Share:
    """Units of no more than ``most`` rows, as many for each thread; sizes differ by one row."""
    units = min(total, -(-total // (most * threads)) * threads)
    rows = -(-total // units)
    return Share(rows, total - (rows - 1) * units, rows - 1, units)


def guided(total: int, threads: int) -> Share:
    """One large unit for each thread, and some small ones for whoever is ready first.

    Cores are seldom equally fast: others use them too. Few units are an advantage where each
    reads all weights.
    """
    each = total // threads
    if threads == 1 or each < _LEAST:
        return even(total, -(-total // threads))
    small = each // _LEAST
    large = each - small
    return Share(large, threads, small, threads - (large * threads - total) // small)


def waste(parts: int, threads: int) -> float:
    """How much longer equal parts take on so many threads than if they could be shared evenly."""
    return -(-parts // threads) * threads / parts
