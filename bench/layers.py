"""Where a network's time goes: ``python -m bench.layers``.

Every operation of the engine is run by itself, in the network's order, so that the caches hold
what they hold in the network. Its share of the peak is that of the multiply-adds that it covers.
"""

import statistics
from dataclasses import dataclass
from time import perf_counter

import click
import numpy as np

from bench.cases import NETWORKS, images
from bench.machine import cores
from bench.worker import pin
from npmobilenet.analysis.calibrated import calibrated_weights
from npmobilenet.architecture import network_macs
from npmobilenet.engine import table as t
from npmobilenet.engine.compiled import CompiledNetwork
from npmobilenet.engine.crew import run
from npmobilenet.kernels.peak import fma_peak

KINDS = (
    "convolution", "product", "dense", "depthwise", "separable", "expand", "inverted", "average",
    "largest", "softmax", "copy",
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A row of the engine's table.

    Parameters
    ----------
    kind, name : str
        The kernel, and the last layer that it computes; empty for the first part of a step.
    units : int
        Pieces that threads can take.
    macs : int
        Multiply-adds of its layers, for one image.
    microseconds : float
        Median.
    """

    kind: str
    name: str
    units: int
    macs: int
    microseconds: float


def measure(case: str, threads: int, rounds: int) -> tuple[list[Operation], float, float]:
    """The operations, the microseconds of a whole call, and the peak in FLOP/s."""
    x = images(NETWORKS[case])[:1]
    network = NETWORKS[case].build()
    compiled = CompiledNetwork(network, calibrated_weights(network, x))
    ready = compiled._make_plan(x.shape[1:], 1, threads)
    whole = ready.take(compiled._weights)
    y = np.empty(ready.output_shape, np.float32)
    whole.job[t.X], whole.job[t.Y] = x.ctypes.data, y.ctypes.data
    jobs = [whole.job]
    for row in ready.plan.table:
        job = whole.job.copy()
        job[t.TABLE], job[t.OPERATIONS], job[t.TAIL] = row.ctypes.data, 1, 0
        jobs.append(job)
    addresses = [job.ctypes.data for job in jobs]
    seconds: list[list[float]] = [[] for _ in jobs]
    peaks = []
    for i in range(rounds):
        for address, taken in zip(addresses, seconds, strict=True):
            whole.counters.fill(0)
            start = perf_counter()
            run(address, threads)
            taken.append(perf_counter() - start)
        if i % max(1, rounds // 10) == 0:
            peaks.append(fma_peak(threads))
    times = [1e6 * statistics.median(taken) for taken in seconds]
    macs = network_macs(network)
    operations = []
    for step, row, time in zip(ready.plan.steps, ready.plan.table, times[1:], strict=True):
        covered = sum(macs[layer] for layer in step.layers) if step else 0
        name = step.name if step else ""
        operations.append(Operation(KINDS[row[t.KIND]], name, int(row[t.UNITS]), covered, time))
    return operations, times[0], statistics.median(peaks)


@click.command()
@click.option("--case", default="v1", show_default=True, type=click.Choice(list(NETWORKS)))
@click.option("--threads", default=1, show_default=True)
@click.option("--rounds", default=200, show_default=True)
def main(case: str, threads: int, rounds: int) -> None:
    """Print each operation's time at batch 1, share of the whole and share of the FMA peak."""
    pin(",".join(map(str, cores()[:threads])))
    operations, whole, peak = measure(case, threads, rounds)
    click.echo(f"{case}, {threads} threads: {whole:.0f} us, peak {peak / 1e9:.1f} GFLOP/s")
    total = sum(operation.microseconds for operation in operations)
    before = 0.0
    for operation in operations:
        before += operation.microseconds
        at_peak = 2e6 * operation.macs / peak
        share = f"{at_peak / before:5.0%}" if operation.name else "     "
        click.echo(
            f"{operation.kind:12}{operation.units:4}{operation.microseconds:9.1f} us"
            f"{operation.microseconds / total:6.1%} of all {share} of peak  "
            f"{before - at_peak:7.1f} us above  {operation.name}"
        )
        before = 0.0 if operation.name else before
    macs = sum(operation.macs for operation in operations)
    click.echo(f"sum {total:.0f} us; {2e6 * macs / peak / whole:.1%} of peak")


if __name__ == "__main__":
    main()
