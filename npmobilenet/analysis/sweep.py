"""Time over multiply-adds for all widths and resolutions of a network: V1's Tables 6 and 7.

One image a call, all networks in turn, round after round, medians. Each is called twice in a row
and the second call counts: the first brings its weights into the caches, where they would be if
nothing else ran between. Weights are random, calibrated once for each alpha.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from npmobilenet.analysis.calibrated import calibrated_weights, natural_images
from npmobilenet.analysis.cost import cost
from npmobilenet.analysis.machine import Neighbours, cpu_name, pinned
from npmobilenet.analysis.profile import Weights, measure_peak
from npmobilenet.analysis.rounds import Clock, measure
from npmobilenet.architecture import Network, mobilenet_v1, mobilenet_v2
from npmobilenet.engine import NumbaProgram
from npmobilenet.pretrained.catalogue import (
    V1_ALPHAS,
    V1_RESOLUTIONS,
    V2_ALPHAS,
    V2_RESOLUTIONS,
    V2_WIDE_ALPHAS,
)

GRIDS: dict[int, tuple[tuple[float, int], ...]] = {
    1: tuple((alpha, size) for alpha in V1_ALPHAS for size in V1_RESOLUTIONS),
    2: (
        *((alpha, size) for alpha in V2_ALPHAS for size in V2_RESOLUTIONS),
        *((alpha, 224) for alpha in V2_WIDE_ALPHAS),
    ),
}
"""The published pairs of alpha and resolution, by version."""

_CALIBRATED_AT = 96  # weights fit any resolution

Progress = Callable[[str, float], None]
"""Is told what happens and which share of it, from 0 to 1, is done."""


@dataclass(frozen=True)
class Point:
    """One network of a sweep."""

    alpha: float
    resolution: int
    macs: int
    parameters: int
    """Kernels and biases; batch norm does not count."""
    seconds: float
    peak: float
    """FMA peak of as many threads, in FLOP/s."""
    macs_ratio: float
    """To the network of most multiply-adds."""
    time_ratio: float

    @property
    def share_of_peak(self) -> float:
        """FLOP/s over the FMA peak; 1 MAC is 2 FLOP."""
        return 2 * self.macs / self.seconds / self.peak


@dataclass(frozen=True)
class Sweep:
    """The networks of one version, and what was measured beside them."""

    version: int
    threads: int
    points: tuple[Point, ...]
    peak: float
    rounds: int
    cpu: str
    busy: float
    """Cores that other processes kept busy meanwhile."""


def sweep(
    version: int,
    grid: Sequence[tuple[float, int]] | None = None,
    *,
    threads: int = 1,
    seconds: float = 5.0,
    progress: Progress = lambda _text, _share: None,
    clock: Clock = perf_counter,
) -> Sweep:
    """Measure networks of many widths and resolutions.

    Parameters
    ----------
    version : {1, 2}
    grid : sequence of (alpha, resolution), optional
        By default the published ones.
    threads : int
    seconds : float
        How long to measure, about; at least some rounds.
    progress : callable
    clock : callable
        Gives seconds.

    Raises
    ------
    ValueError
        If there is no such version, the grid is empty, or a network cannot be so narrow or small.
    """
    if version not in GRIDS:
        raise ValueError(f"version must be 1 or 2, found {version!r}")
    grid = GRIDS[version] if grid is None else grid
    if not grid:
        raise ValueError("a sweep needs at least one alpha and resolution")
    networks = [_network(version, alpha, size) for alpha, size in grid]
    counted = [cost(network) for network in networks]
    weights = {
        alpha: _weights(_network(version, alpha, _CALIBRATED_AT)) for alpha in {a for a, _ in grid}
    }
    calls: list[Callable[[], object]] = []
    peaks: list[float] = []
    with pinned(threads):
        for number, (network, (alpha, _)) in enumerate(zip(networks, grid, strict=True)):
            progress("preparing", number / len(grid))
            calls += 2 * [_call(network, weights[alpha], threads)]
        began = clock()

        def between() -> None:
            peaks.append(measure_peak(threads))
            progress("measuring", min(1.0, (clock() - began) / seconds) if seconds else 1.0)

        neighbours = Neighbours()
        times = measure(calls, seconds, between=between, clock=clock)
        busy = neighbours.busy()
    medians = [median(taken) for taken in times[1::2]]
    largest = max(range(len(grid)), key=lambda number: counted[number].macs)
    return Sweep(
        version=version,
        threads=threads,
        points=tuple(
            Point(
                alpha=alpha,
                resolution=size,
                macs=found.macs,
                parameters=found.parameters_without_batch_norm,
                seconds=taken,
                peak=median(peaks),
                macs_ratio=found.macs / counted[largest].macs,
                time_ratio=taken / medians[largest],
            )
            for (alpha, size), found, taken in zip(grid, counted, medians, strict=True)
        ),
        peak=median(peaks),
        rounds=len(times[0]),
        cpu=cpu_name(),
        busy=busy,
    )


def _network(version: int, alpha: float, size: int) -> Network:
    build = mobilenet_v1 if version == 1 else mobilenet_v2
    if alpha * 32 < 1 or size < 1:
        raise ValueError(
            f"alpha must be 1/32 or more, which leaves the first convolution a filter, and the "
            f"resolution 1 or more; found {alpha} and {size}"
        )
    return build((size, size, 3), alpha)


def _weights(network: Network) -> Weights:
    return calibrated_weights(network, natural_images(network))


def _call(network: Network, weights: Weights, threads: int) -> Callable[[], object]:
    program, image = NumbaProgram(network, weights), natural_images(network)
    return lambda: program(image, threads)
