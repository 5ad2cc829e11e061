"""Time over multiply-adds, a line for each width."""

from collections.abc import Sequence
from pathlib import Path

from npmobilenet.analysis.machine import threads_text
from npmobilenet.analysis.plots.figure import new_figure, save_figure
from npmobilenet.analysis.sweep import Sweep

_MARKERS = "osD^vP*X<>"


def plot_sweep(found: Sequence[Sweep], path: Path) -> None:
    """Save a chart, both axes logarithmic, with the time that the FMA peak would take below.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    figure = new_figure(width=9.0, height=6.0)
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    points = [point for one in found for point in one.points]
    sizes = sorted({point.resolution for point in points}, reverse=True)
    markers = {size: _MARKERS[place % len(_MARKERS)] for place, size in enumerate(sizes)}
    number = 0
    for one in found:
        line = "-" if one.version == 1 else "--"
        for alpha in sorted({point.alpha for point in one.points}, reverse=True):
            own = sorted((p for p in one.points if p.alpha == alpha), key=lambda p: p.macs)
            axes.plot(
                [point.macs / 1e6 for point in own],
                [point.seconds * 1e3 for point in own],
                line,
                color=f"C{number}",
                linewidth=1,
                label=f"V{one.version} alpha {alpha:g}",
            )
            for point in own:
                place = (point.macs / 1e6, point.seconds * 1e3)
                axes.plot(*place, markers[point.resolution], color=f"C{number}", markersize=6)
            number += 1
    for size, marker in markers.items():
        axes.plot([], [], marker, color="0.4", label=f"{size} pixels")
    ends = [end(point.macs for point in points) for end in (min, max)]
    peak = found[0].peak
    for share, style in ((1.0, "-"), (0.5, ":")):
        times = [2 * macs / (share * peak) * 1e3 for macs in ends]
        label = f"{share:.0%} of the FMA peak"
        axes.plot([macs / 1e6 for macs in ends], times, style, color="0.2", label=label)
    axes.set_xlabel("multiply-adds, M")
    axes.set_ylabel("time of one image, ms")
    axes.grid(which="both", linewidth=0.3)
    title = f"{found[0].cpu}, {threads_text(found[0].threads)}, peak {peak / 1e9:.0f} GFLOP/s"
    axes.set_title(title, fontsize=10)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    figure.legend(loc="outside right upper", fontsize=8)
    save_figure(figure, path)
