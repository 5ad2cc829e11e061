"""KNN search beside scikit-learn and faiss: ``python -m bench.knn``.

Needs ``pip install scikit-learn faiss-cpu``.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench.compare import RESULTS
from bench.machine import today
from bench.peers import installed_versions
from bench.processes import run_module
from npmobilenet.analysis.machine import QUIET, busy_cores, cores, cpu_name

PACKAGES = ("npmobilenet", "numpy", "numba", "faiss-cpu", "scikit-learn")
KINDS = {
    "gaussian": "independent normal values",
    "clusters": "like embeddings: not negative, 100 clusters",
}


@click.command()
@click.option("--examples", default=100_000, show_default=True)
@click.option("--size", default=1024, show_default=True)
@click.option("--k", default=3, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--rounds", default=6, show_default=True, help="Turns of every library.")
@click.option("--block", default=5, show_default=True, help="Queries of a turn.")
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(path_type=Path))
def main(examples, size, k, threads, rounds, block, results) -> None:
    """Time one query after the other, check the neighbours, and write a table."""
    threads = min(threads, len(cores()))
    busy = busy_cores()
    found = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        for kind in KINDS:
            arguments = (kind, examples, size, k, threads, rounds, block, path)
            run_module("bench.knn_worker", *arguments, threads=threads)
            found[kind] = json.loads(path.read_text())
    report = {
        "cpu": cpu_name(),
        "date": today(),
        "threads": threads,
        "versions": installed_versions(PACKAGES),
        "examples": examples,
        "size": size,
        "k": k,
        "rows": found,
        "quiet": max(busy, busy_cores()) <= QUIET,
    }
    table = "\n".join(_document(report)) + "\n"
    results.mkdir(parents=True, exist_ok=True)
    (results / "knn.json").write_text(json.dumps(report, indent=1) + "\n")
    (results / "knn.md").write_text(table)
    click.echo(table)


def _document(report: dict):
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield f"{report['date']}, {report['cpu']}, {report['threads']} threads. {versions}."
    yield (
        f"\nThe {report['k']} nearest of {report['examples']:,} examples of {report['size']:,} "
        "values by cosine, one query at a time; libraries take turns in one process. The row of "
        "npmobilenet is the whole `KNNClassifier.predict_class`. *Wrong*: queries whose neighbours "
        "are of other classes than a float64 search finds."
    )
    for kind, rows in report["rows"].items():
        yield f"\n### Data: {KINDS[kind]}\n"
        yield "| library | median, ms | first to ninth decile | wrong |"
        yield "|---|---:|---:|---:|"
        for row in sorted(rows, key=lambda row: row["milliseconds"]):
            name = row["library"]
            name = f"**{name}**" if name == "npmobilenet" else name
            yield (
                f"| {name} | {row['milliseconds']:.1f} | {row['low']:.1f} to {row['high']:.1f} "
                f"| {row['wrong']} of {row['queries']} |"
            )
    if not report["quiet"]:
        yield "\nOther processes were at work; do not trust these figures."


if __name__ == "__main__":
    main()
