"""A comparison as Markdown and as a figure."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.cases import NETWORKS
from bench.peers import PEERS

OURS, THEIRS = "#0b6e4f", "#b0b7bf"
LONGEST_BAR = 3.0  # times the fastest peer; longer bars are cut and say their value


def write(report: dict, folder: Path, name: str) -> None:
    """Write ``name.json``, ``name.md`` and ``name.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    write_table(report, folder / f"{name}.md")
    write_figure(report, folder / f"{name}.svg")


def write_table(report: dict, path: Path) -> None:
    """One table a network, the fastest library on one thread first."""
    path.write_text("\n".join(_document(report)) + "\n")


def _document(report: dict) -> Iterator[str]:
    yield from _preamble(report["machine"])
    yield (
        "Medians of interleaved calls, every library in a process of its own on pinned cores. "
        "*Ratio*: time over that of the fastest float32 peer in the same round. *Of peak*: "
        "FLOP/s (1 MAC = 2 FLOP) over those of a multiply-add loop in the same round. *Error*: "
        "largest error of the logarithm of a probability, against float64."
    )
    rows = report["rows"]
    for case in dict.fromkeys(row["case"] for row in rows):
        yield from _section(NETWORKS[case].title, [row for row in rows if row["case"] == case])
        if origin := report["weights"].get(case):
            yield f"\nWeights: {origin}."
    for note in report["notes"]:
        yield f"\n{note}"


def _preamble(machine: dict) -> Iterator[str]:
    peak = ", ".join(
        f"{value:.0f} GFLOP/s on {threads} thread{'s' if int(threads) > 1 else ''}"
        for threads, value in machine["fma_peak_gflops"].items()
    )
    bandwidth = ", ".join(
        f"{level} {value:.0f}" for level, value in machine["read_bandwidth_gb_s"].items()
    )
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['system']}."
    yield f"Measured float32 multiply-add peak {peak};"
    yield f"read bandwidth of one thread in GB/s: {bandwidth}."
    yield f"\nPython {machine['python']}, {versions}.\n"


def _section(title: str, rows: list[dict]) -> Iterator[str]:
    threads = sorted({row["threads"] for row in rows})
    cells = {(row["library"], row["threads"]): row for row in rows}
    heads = [
        head
        for count in threads
        for head in (f"ms, {count} thread{'s' * (count > 1)}", "ratio", "of peak")
    ]
    yield f"\n### {title}\n"
    yield f"| library | {' | '.join(heads)} | error |"
    yield f"|---|{'---:|' * (len(heads) + 1)}"
    for library in dict.fromkeys(row["library"] for row in rows):
        found = [cells.get((library, count)) for count in threads]
        values = [value for row in found for value in _cells(row)]
        worst = max(row["error"] for row in found if row)
        name = PEERS[library].title
        name = f"**{name}**" if library == "npmobilenet" else name
        yield f"| {name} | {' | '.join(values)} | {worst:.0e} |"


def _cells(row: dict | None) -> Iterable[str]:
    if row is None:
        return "", "", ""
    by = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    return f"{row['milliseconds']:.3g}", by, f"{row['share_of_peak']:.0%}"


def write_figure(report: dict, path: Path) -> None:
    """Bars of the ratio to the fastest float32 peer: a row a network, a column a thread count."""
    rows = [row for row in report["rows"] if row["ratio"] is not None]
    if not rows:
        return
    import matplotlib as mpl
    from matplotlib.figure import Figure

    cases = list(dict.fromkeys(row["case"] for row in rows))
    threads = sorted({row["threads"] for row in rows})
    most = max(len({row["library"] for row in rows if row["case"] == case}) for case in cases)
    with mpl.rc_context({"font.size": 8, "svg.hashsalt": "bench", "axes.spines.right": False}):
        size = (5.2 * len(threads), (0.24 * most + 0.6) * len(cases))
        figure = Figure(size, layout="constrained")
        grid = figure.subplots(len(cases), len(threads), squeeze=False, sharex=True)
        for line, case in zip(grid, cases, strict=True):
            for axes, count in zip(line, threads, strict=True):
                _bars(axes, [r for r in rows if (r["case"], r["threads"]) == (case, count)])
                plural = "s" if count > 1 else ""
                axes.set_title(f"{NETWORKS[case].title}, {count} thread{plural}", loc="left")
        for axes in grid[-1]:
            axes.set_xlabel("time / time of the fastest float32 peer")
        figure.savefig(path, metadata={"Date": None})


def _bars(axes, rows: list[dict]) -> None:
    rows = sorted(rows, key=lambda row: -row["ratio"])
    axes.barh(
        [PEERS[row["library"]].title for row in rows],
        [min(row["ratio"], LONGEST_BAR) for row in rows],
        color=[OURS if row["library"] == "npmobilenet" else THEIRS for row in rows],
    )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlim(0, LONGEST_BAR * 1.25)
    axes.spines["top"].set_visible(False)
    for place, row in enumerate(rows):
        text = f" {row['ratio']:.2f}  ({row['milliseconds']:.3g} ms)"
        end = min(max(row["ratio"], 1), LONGEST_BAR)  # clear of the line at 1
        axes.text(end, place, text, va="center")
