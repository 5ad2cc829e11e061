"""Whole networks in all libraries: ``python -m bench.compare``."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from bench.cases import NETWORKS, Case
from bench.correctness import error
from bench.machine import describe
from bench.peers import PEERS, Peer, missing
from bench.processes import Worker, WorkerError
from bench.report import write
from bench.rounds import PEAK, Timing, interleave, ratio
from bench.workspace import Workspace
from npmobilenet.analysis.machine import QUIET, busy_cores, cores
from npmobilenet.architecture import network_macs

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One library on one network with some threads.

    Parameters
    ----------
    milliseconds, low, high : float
        Median, first and ninth decile of the time of a call.
    ratio : float or None
        Time over that of the fastest float32 peer (not counting npmobilenet).
    share_of_peak, peak_gflops : float
        FLOP/s over those of the multiply-add loop in the same rounds, and these; 1 MAC is 2 FLOP.
    error : float
        As :func:`bench.correctness.error`.
    """

    case: str
    library: str
    threads: int
    milliseconds: float
    low: float
    high: float
    ratio: float | None
    share_of_peak: float
    peak_gflops: float
    error: float


@click.command()
@click.option("--case", "cases", multiple=True, type=click.Choice(list(NETWORKS)), help="All.")
@click.option("--library", "libraries", multiple=True, type=click.Choice(list(PEERS)), help="All.")
@click.option("--threads", multiple=True, type=int, default=(1, 2), show_default=True)
@click.option("--rounds", default=15, show_default=True, help="Turns of every library.")
@click.option("--block", default=0.15, show_default=True, help="Seconds of a turn, about.")
@click.option("--random", "random_weights", is_flag=True, help="Random weights everywhere.")
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path))
@click.option("--name", default="networks", show_default=True, help="Of the files.")
def main(cases, libraries, threads, rounds, block, random_weights, results, name) -> None:
    """Time whole networks in every library, interleaved, and write a table and a figure."""
    threads = [count for count in threads if count <= len(cores())]
    notes = Notes()
    peers = _installed([PEERS[key] for key in libraries] or list(PEERS.values()), notes)
    machine = describe(threads)
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), pretrained=not random_weights)
        for case, count in product(cases or NETWORKS, threads):
            for row in _measure(workspace, case, peers, count, rounds, block, notes):
                rows.append(row)
                click.echo(_line(row))
            report = {
                "machine": machine,
                "weights": workspace.origin,
                "notes": list(notes),
                "rounds": rounds,
                "rows": [asdict(row) for row in rows],
            }
            write(report, results, name)  # what has been measured stays, whatever happens next
    for note in notes:
        click.echo(note)


class Notes(dict[str, None]):
    """Remarks for the reader of a table, in order, each once."""

    def add(self, note: str) -> None:
        """Append a remark, unless it is there already."""
        self[note] = None


def _installed(peers: list[Peer], notes: Notes) -> list[Peer]:
    for peer in peers:
        if packages := missing(peer):
            notes.add(f"{peer.title} was left out: {', '.join(packages)} not installed.")
    return [peer for peer in peers if not missing(peer)]


def _measure(
    workspace: Workspace,
    name: str,
    peers: list[Peer],
    threads: int,
    rounds: int,
    block: float,
    notes: Notes,
) -> Iterator[Row]:
    """All libraries on one network; those that fail or are wrong are noted, not timed."""
    case = NETWORKS[name]
    errors: dict[str, float] = {}
    with ExitStack() as stack:
        workers = {PEAK: stack.enter_context(closing(_start(workspace, PEAK, name, threads)))}
        for peer in peers:
            if peer.only_batches and case.batch_size == 1:
                continue
            try:
                worker = stack.enter_context(closing(_start(workspace, peer.name, name, threads)))
            except WorkerError as failure:
                notes.add(f"{case.title}: {peer.title} failed: {failure}")
                continue
            found = error(np.load(_output(workspace, peer.name)), workspace.reference(name))
            if found > peer.tolerance:
                notes.add(f"{case.title}: {peer.title} is wrong by {found:.2g}: not timed.")
                continue
            workers[peer.name], errors[peer.name] = worker, found
        busy = busy_cores()
        timings = interleave(workers, rounds, block)
        if max(busy, busy_cores()) > QUIET:
            notes.add(f"{case.title}: other processes were at work; do not trust these figures.")
    yield from _rows(name, case, threads, timings, errors)


def _start(workspace: Workspace, library: str, case: str, threads: int) -> Worker:
    model = workspace.folder if library == PEAK else workspace.model(library, case)
    chosen = ",".join(map(str, cores()[:threads]))
    output = _output(workspace, library)
    arguments = [library, model, workspace.batch(case), output, threads, chosen]
    return Worker(arguments, threads, output.with_suffix(".log"))


def _output(workspace: Workspace, library: str) -> Path:
    return workspace.folder / f"{library}.output.npy"


def _rows(
    name: str, case: Case, threads: int, timings: dict[str, Timing], errors: dict[str, float]
) -> Iterator[Row]:
    peak = timings.pop(PEAK)
    flop = 2 * sum(network_macs(case.build()).values()) * case.batch_size
    rivals = [
        library
        for library in timings
        if PEERS[library].is_float32 and not library.startswith("npmobilenet")
    ]
    fastest = min(rivals, key=lambda library: timings[library].median, default=None)
    for library, timing in sorted(timings.items(), key=lambda item: item[1].median):
        shares = [
            flop / seconds / rate
            for seconds, rate in zip(timing.by_round, peak.by_round, strict=True)
        ]
        yield Row(
            case=name,
            library=library,
            threads=threads,
            milliseconds=1e3 * timing.median,
            low=1e3 * timing.low,
            high=1e3 * timing.high,
            ratio=ratio(timing, timings[fastest]) if fastest else None,
            share_of_peak=float(np.median(shares)),
            peak_gflops=peak.median / 1e9,
            error=errors[library],
        )


def _line(row: Row) -> str:
    by = "" if row.ratio is None else f"{row.ratio:6.2f}x"
    return (
        f"{row.case:12} {row.threads} {row.library:18} {row.milliseconds:9.2f} ms {by:>8} "
        f"{row.share_of_peak:6.1%} of peak, error {row.error:.1e}"
    )


if __name__ == "__main__":
    main()
