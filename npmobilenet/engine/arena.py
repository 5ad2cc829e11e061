"""Places for values in one block of memory, used again once a value is not needed any more."""


class Arena:
    """Hands out ranges; ``size`` is what all of them together need."""

    _LINE = 16  # floats in a cache line

    def __init__(self) -> None:
        self.size = 0
        self._taken: dict[int, int] = {}

    def take(self, count: int) -> int:
        """The lowest offset with room for ``count`` floats."""
        count = -(-count // self._LINE) * self._LINE
        offset = 0
        for begin in sorted(self._taken):
            if begin - offset >= count:
                break
            offset = self._taken[begin]
        self._taken[offset] = offset + count
        self.size = max(self.size, offset + count)
        return offset

    def give(self, offset: int) -> None:
        """Free the range that begins at ``offset``."""
        del self._taken[offset]
