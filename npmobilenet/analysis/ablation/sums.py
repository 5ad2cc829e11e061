"""Sums of products in float32, with their order and the precision of the accumulator chosen.

The terms of a sum are made one after the other, each for all outputs at once: what NumPy runs in a
loop is the terms, not the outputs. So every output's sum has exactly the order that is asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.ablation.rounding import ROUNDINGS

Order = Literal["sequential", "reversed", "pairwise", "chunked"]
ORDERS: tuple[Order, ...] = get_args(Order)

Float32 = NDArray[np.float32]
Term = Callable[[int, Float32], object]
"""Writes the products with this index into an array, one for each output."""


@dataclass(frozen=True)
class Accumulator:
    """How sums are formed.

    Parameters
    ----------
    order : str
        ``"sequential"``, from the first term to the last; ``"reversed"``; ``"pairwise"``, halves
        of halves; ``"chunked"``, sums of as many terms as kernels add one after
        another, which are then summed.
    precision : str
        What each partial sum is rounded to: ``"float32"``, ``"float16"`` or ``"bfloat16"``.
        Products are float32, as are the weights and activations that they are made of.
    """

    order: Order = "sequential"
    precision: str = "float32"

    def total(self, term: Term, count: int, shape: tuple[int, ...]) -> Float32:
        """The sum of ``count`` terms, for outputs of a shape."""
        buffer = np.empty(shape, np.float32)
        if self.order == "pairwise":
            return self._halves(term, 0, count, buffer)
        if self.order == "reversed":
            return self._one_by_one(term, reversed(range(count)), buffer)
        if self.order == "sequential":
            return self._one_by_one(term, range(count), buffer)
        from npmobilenet.kernels.blocks import CHUNK  # Numba takes long to import

        total: Float32 | None = None
        for start in range(0, count, CHUNK):
            part = self._one_by_one(term, range(start, min(start + CHUNK, count)), buffer)
            total = part if total is None else self._add(total, part)
        assert total is not None  # noqa: S101  -- a sum has terms
        return total

    def _add(self, total: Float32, more: Float32) -> Float32:
        total += more
        ROUNDINGS[self.precision](total)
        return total

    def _one_by_one(self, term: Term, indices: Iterable[int], buffer: Float32) -> Float32:
        total = np.zeros_like(buffer)
        for index in indices:
            term(index, buffer)
            self._add(total, buffer)
        return total

    def _halves(self, term: Term, start: int, stop: int, buffer: Float32) -> Float32:
        if stop - start == 1:
            total = np.empty_like(buffer)
            term(start, total)
            ROUNDINGS[self.precision](total)
            return total
        middle = (start + stop) // 2
        first = self._halves(term, start, middle, buffer)
        return self._add(first, self._halves(term, middle, stop, buffer))
