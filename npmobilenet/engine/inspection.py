"""Calls that are looked at: where memory was written to that is nobody's, or read before written.

Each call is made twice. What is in memory before differs, so a value that depends on it differs
too. Input and output end where a forbidden page begins the first time, and begin where one ends the
second time.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from npmobilenet.engine.drawing import ZEROS
from npmobilenet.engine.guarded import guarded, seal
from npmobilenet.engine.plan import Plan

Float32 = NDArray[np.float32]

_FILLS = (np.float32(np.nan), np.float32(1e30))


def guarded_copy(x: Float32, *, end: bool) -> Float32:
    """An input that nobody can write to, between forbidden pages."""
    copy: Float32 = guarded(x.size, end=end, line=False)
    copy[:] = x.reshape(-1)
    seal(copy)
    return copy.reshape(x.shape)


def inspect(
    plan: Plan,
    x: Float32,
    output_shape: tuple[int, ...],
    call: Callable[[Float32, Float32, Callable[[Float32], None]], Float32],
) -> Float32:
    """Make a call twice; its output.

    Parameters
    ----------
    plan : Plan
        Of the call.
    x : array
        The input.
    output_shape : tuple of int
    call : callable
        Makes it for an input and an output; gives the store that it used. What it gets as a third
        argument fills the store before.

    Raises
    ------
    RuntimeError
        If it has written where nothing belongs, or its output depends on what was in memory.
    """
    found = []
    for fill, end in zip(_FILLS, (True, False), strict=True):
        y: Float32 = guarded(int(np.prod(output_shape)), end=end, line=False)
        y.fill(fill)

        def prepare(store: Float32, fill: np.float32 = fill) -> None:
            store[ZEROS:] = fill

        store = call(guarded_copy(x, end=end), y.reshape(output_shape), prepare)
        if store[:ZEROS].any():
            raise RuntimeError("the zeros at the beginning of the store were overwritten")
        for begin, stop in _gaps(plan):
            if not _same(store[begin:stop], fill):
                raise RuntimeError(f"the gap from {begin} to {stop} was written to")
        found.append(y)
    if not _same(found[0], found[1]):
        raise RuntimeError("the output depends on what was in memory before")
    return found[0].reshape(output_shape).copy()


def _same(values: Float32, others: Float32 | np.float32) -> bool:
    """Whether all are equal, NaN to NaN.

    ``np.array_equal`` would take an exception from a handler of a signal for a difference.
    """
    return bool(np.all((values == others) | (np.isnan(values) & np.isnan(others))))


def _gaps(plan: Plan) -> Iterator[tuple[int, int]]:
    """Where a plan leaves floats free: at the end of each thread's scratch and of each slot."""
    scratch_ends = range(ZEROS + plan.scratch_size, plan.slots + 1, plan.scratch_size or 1)
    slots = plan.threads if plan.bulk else 1
    slot_ends = (plan.slots + (1 + slot) * plan.slot_size for slot in range(slots))
    for end in (*scratch_ends, *slot_ends):
        yield end - plan.gap, end
