"""Time, speed and traffic of each layer as bars."""

from pathlib import Path

from npmobilenet.analysis.machine import threads_text
from npmobilenet.analysis.plots.figure import new_figure, save_figure
from npmobilenet.analysis.plots.kinds import color, legend
from npmobilenet.analysis.profile import Profile

_GIGA = 1e9


def plot_profile(found: Profile, path: Path) -> None:
    """Save a figure with three bar charts over the layers: time, share of the peak, bytes a second.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    layers = found.layers
    figure = new_figure(width=max(8.0, 2 + 0.2 * len(layers)), height=8.0)
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    places = range(len(layers))
    bars = [color(layer.kind) for layer in layers]
    top.bar(places, [layer.seconds * 1e3 for layer in layers], color=bars)
    top.set_ylabel("time, ms")
    way = "fused" if found.fused else "unfused"
    title = f"{found.network}, {way}, {threads_text(found.threads)}: {found.seconds * 1e3:.2f} ms"
    top.set_title(title, fontsize=11)
    for group, shade in legend(layer.kind for layer in layers).items():
        top.bar(0, 0, color=shade, label=group)
    top.legend(fontsize=8, ncols=2)
    middle.bar(places, [100 * layer.share_of_peak for layer in layers], color=bars)
    middle.axhline(100, color="C3", linestyle="--", linewidth=1)
    middle.set_ylabel(f"% of FMA peak,\n{found.peak / _GIGA:.0f} GFLOP/s")
    bottom.bar(places, [layer.bytes_per_second / _GIGA for layer in layers], color=bars)
    bottom.set_ylabel("GB/s moved")
    names = [layer.cost.name for layer in layers]
    bottom.set_xticks(places, names, rotation=90, fontsize=7)
    bottom.set_xlim(-0.8, len(names) - 0.2)
    save_figure(figure, path)
