"""Libraries in turn, round after round, so that a drifting clock hits all of them alike."""

import random
import statistics
from dataclasses import dataclass

from bench.processes import Worker

PEAK = "peak"


@dataclass(frozen=True)
class Timing:
    """What was measured of one library.

    Parameters
    ----------
    median : float
        Of all calls: seconds, or FLOP/s of `PEAK`.
    low, high : float
        First and ninth decile of all calls.
    by_round : list of float
        Median of each round.
    """

    median: float
    low: float
    high: float
    by_round: list[float]


def interleave(
    workers: dict[str, Worker], rounds: int, block: float, seed: int = 0
) -> dict[str, Timing]:
    """Measure all workers in ``rounds`` rounds, each time in another order.

    Parameters
    ----------
    workers : dict of Worker
        `PEAK` among them answers with FLOP/s instead of seconds.
    rounds : int
    block : float
        Seconds that a library runs in a round, about; at least one call.
    """
    calls = {
        name: 1 if name == PEAK else max(1, round(block / min(worker.measure(2))))
        for name, worker in workers.items()
    }
    results: dict[str, list[list[float]]] = {name: [] for name in workers}
    order = list(workers)
    shuffle = random.Random(seed).shuffle
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            results[name].append(workers[name].measure(calls[name]))
    return {name: _timing(blocks) for name, blocks in results.items()}


def _timing(blocks: list[list[float]]) -> Timing:
    samples = sorted(value for block in blocks for value in block)
    last = len(samples) - 1
    return Timing(
        median=statistics.median(samples),
        low=samples[round(last * 0.1)],
        high=samples[round(last * 0.9)],
        by_round=[statistics.median(block) for block in blocks],
    )


def ratio(timing: Timing, other: Timing) -> float:
    """Median over the rounds of one library's time by another's in the same round."""
    pairs = zip(timing.by_round, other.by_round, strict=True)
    return statistics.median(mine / its for mine, its in pairs)
