"""From the start of a process to its first prediction: ``python -m bench.cold_start``."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click

from bench.cases import NETWORKS
from bench.compare import RESULTS
from bench.machine import today
from bench.peers import PEERS, missing, versions
from bench.processes import WorkerError, environment
from bench.workspace import Workspace
from npmobilenet.analysis.machine import QUIET, busy_cores, cores, cpu_name


@dataclass(frozen=True)
class Start:
    """Cold start of one library on V1 1.0-224.

    Parameters
    ----------
    seconds : float
        Process start to first prediction from a file on disk; median.
    mebibytes : float
        Peak resident memory; median.
    """

    library: str
    seconds: float
    mebibytes: float


@click.command()
@click.option("--library", "libraries", multiple=True, type=click.Choice(list(PEERS)), help="All.")
@click.option("--rounds", default=7, show_default=True, help="Starts of every library.")
@click.option("--threads", default=2, show_default=True)
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path))
def main(libraries, rounds, threads, results) -> None:
    """Time cold starts, peak memory and the first compilation ever, and write a table."""
    threads = min(threads, len(cores()))
    peers = [PEERS[name] for name in libraries] or list(PEERS.values())
    names = [peer.name for peer in peers if not missing(peer) and not peer.only_batches]
    with TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), pretrained=False)
        busy = busy_cores()
        starts, notes = _starts(workspace, names, rounds, threads)
        if max(busy, busy_cores()) > QUIET:
            notes.append("Other processes were at work; do not trust these figures.")
        compiling = _first_compilation(workspace, threads) if "npmobilenet" in names else {}
    report = {
        "cpu": cpu_name(),
        "date": today(),
        "threads": threads,
        "versions": versions(),
        "starts": [asdict(start) for start in sorted(starts, key=lambda start: start.seconds)],
        "first_compilation_seconds": compiling,
        "notes": notes,
    }
    table = "\n".join(_document(report)) + "\n"
    results.mkdir(parents=True, exist_ok=True)
    (results / "cold_start.json").write_text(json.dumps(report, indent=1) + "\n")
    (results / "cold_start.md").write_text(table)
    click.echo(table)


def _starts(
    workspace: Workspace, names: list[str], rounds: int, threads: int
) -> tuple[list[Start], list[str]]:
    """All libraries in turn; the first start of each, which fills the caches, does not count."""
    samples: dict[str, list[tuple[float, float]]] = {}
    notes = []
    for name in names:
        try:
            _start(workspace, name, ["v1"], threads)
            samples[name] = []
        except WorkerError as failure:
            notes.append(f"{PEERS[name].title} failed: {failure}")
    for _ in range(rounds):
        for name, found in samples.items():
            found.append(_start(workspace, name, ["v1"], threads))
    starts = [
        Start(name, *(statistics.median(values) for values in zip(*found, strict=True)))
        for name, found in samples.items()
    ]
    return starts, notes


def _start(
    workspace: Workspace, library: str, cases: list[str], threads: int, **variables: str
) -> tuple[float, float]:
    """Seconds to the last case's first prediction, and MiB in use at most."""
    models = [workspace.model(library, case) for case in cases]
    arguments = [library, threads, workspace.batch("v1"), *models]
    command = [sys.executable, "-m", "bench.first_prediction", *map(str, arguments)]
    began = perf_counter()
    with subprocess.Popen(
        command,
        env=environment(threads) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout:
            if line.strip().isdigit():
                seconds = perf_counter() - began
                process.communicate()
                return seconds, int(line) / 1024
        raise WorkerError(process.stderr.read().strip()[-200:] or "no answer")


def _first_compilation(workspace: Workspace, threads: int) -> dict[str, float]:
    """Seconds to a prediction when no kernel has ever been compiled, for one and both networks."""
    seconds = {}
    for cases in (["v1"], ["v1", "v2"]):
        with TemporaryDirectory() as empty:
            seconds[" and ".join(NETWORKS[case].title for case in cases)] = _start(
                workspace, "npmobilenet", cases, threads, NUMBA_CACHE_DIR=empty
            )[0]
    return seconds


def _document(report: dict) -> Iterator[str]:
    versions_ = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield f"{report['date']}, {report['cpu']}, {report['threads']} threads. {versions_}."
    yield "\nV1 1.0-224, batch 1: process start to first prediction from a model file on disk.\n"
    yield "| library | cold start, s | peak memory, MiB |"
    yield "|---|---:|---:|"
    for start in report["starts"]:
        title = PEERS[start["library"]].title
        title = f"**{title}**" if start["library"] == "npmobilenet" else title
        yield f"| {title} | {start['seconds']:.2f} | {start['mebibytes']:.0f} |"
    for networks, seconds in report["first_compilation_seconds"].items():
        yield f"\nThe same where no kernel was ever compiled, {networks}: {seconds:.1f} s."
    for note in report["notes"]:
        yield f"\n{note}"


if __name__ == "__main__":
    main()
