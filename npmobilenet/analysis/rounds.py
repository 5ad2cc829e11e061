"""Calls in turn, round after round, each with a clock before and behind it.

What slows the machine down for a while slows all of them down, and most rounds, and with them the
medians, escape what else runs. Rounds that warm up caches and clocks are not counted.
"""

from collections.abc import Callable, Sequence
from time import perf_counter

WARM_UP = 3
FEWEST = 7
MOST = 2000

Clock = Callable[[], float]


def measure(
    calls: Sequence[Callable[[], object]],
    seconds: float = 1.0,
    *,
    between: Callable[[], object] | None = None,
    clock: Clock = perf_counter,
) -> list[list[float]]:
    """Seconds that each call takes, in each round.

    Parameters
    ----------
    calls : sequence of callable
        A round calls each of them once, in this order.
    seconds : float
        How long to go on, about; but never less than :data:`FEWEST` rounds.
    between : callable, optional
        Called after every round, outside all times.
    clock : callable
        Gives seconds.

    Returns
    -------
    list of list of float
        For each call one value a round, as many for all.
    """
    times: list[list[float]] = [[] for _ in calls]
    began = clock()
    for number in range(-WARM_UP, MOST):
        if number >= FEWEST and clock() - began > seconds:
            break
        if number == 0:
            began = clock()
        for call, taken in zip(calls, times, strict=True):
            start = clock()
            call()
            end = clock()
            if number >= 0:
                taken.append(end - start)
        if between is not None:
            between()
    return times
