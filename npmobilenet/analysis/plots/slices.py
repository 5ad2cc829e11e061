"""Memory and time of a block over the number of its slices."""

from pathlib import Path

from npmobilenet.analysis.plots.figure import new_figure, save_figure
from npmobilenet.analysis.slices import Slices

_MEGA = 1e6


def plot_slices(found: Slices, path: Path) -> None:
    """Save a figure with peak memory, predicted and measured, and time over t.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    slices = [row.t for row in found.rows]
    figure = new_figure(width=10.0, height=3.9)
    memory, time = figure.subplots(1, 2)
    figure.suptitle(
        f"{found.network} {found.block}: {' x '.join(map(str, found.input_shape))}, expanded to "
        f"{found.expanded} channels in t slices",
        fontsize=11,
    )
    measured = [row.measured_bytes / _MEGA for row in found.rows]
    memory.plot(slices, measured, "o-", color="#1f6fb2", label="measured")
    predicted = [row.predicted_bytes / _MEGA for row in found.rows]
    memory.plot(slices, predicted, "x", color="#333a47", label="predicted")
    paper = [row.paper_bytes / _MEGA for row in found.rows]
    memory.plot(slices, paper, "--", color="#e08214", label="paper's equation")
    ends = 4 * sum(h * w * c for h, w, c in (found.input_shape, found.output_shape)) / _MEGA
    memory.axhline(ends, color="#8a93a3", linewidth=1, label="input and output alone")
    memory.set_ylabel("peak memory, MB")
    memory.set_ylim(bottom=0)
    memory.legend(frameon=False, fontsize=8)
    time.plot(slices, [row.seconds * 1e3 for row in found.rows], "o-", color="#1f6fb2")
    time.set_ylabel("time in NumPy, ms")
    time.set_ylim(bottom=0)
    for axes in (memory, time):
        axes.set_xscale("log", base=2)
        axes.set_xticks(slices, map(str, slices), fontsize=8)
        axes.minorticks_off()
        axes.set_xlabel("slices t")
        axes.grid(color="#e6e9ef")
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    save_figure(figure, path)
