"""Arithmetic, traffic and memory of a network, stage by stage."""

from pathlib import Path

from npmobilenet.analysis.cost import Cost
from npmobilenet.analysis.plots.figure import new_figure, save_figure

_MILLION = 1e6


def plot_cost(found: Cost, path: Path) -> None:
    """Save a figure with three bar charts over the stages: MACs, bytes moved, bytes alive.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    figure = new_figure(width=max(8.0, 0.16 * len(found.layers)), height=8.0)
    top, middle, bottom = figure.subplots(3, 1, sharex=True)
    places = range(len(found.layers))
    top.bar(places, [layer.macs / _MILLION for layer in found.layers], color="C0")
    top.set_ylabel("MACs, M")
    top.set_title(f"{found.network}: {found.macs / _MILLION:,.1f} M MACs, fusing {found.fusing}")
    below = [0.0] * len(found.layers)
    for label, color, values in (
        ("weights", "C1", [layer.weight_bytes / _MILLION for layer in found.layers]),
        ("activations read", "C2", [layer.read_bytes / _MILLION for layer in found.layers]),
        ("activations written", "C3", [layer.written_bytes / _MILLION for layer in found.layers]),
    ):
        middle.bar(places, values, bottom=below, label=label, color=color)
        below = [low + value for low, value in zip(below, values, strict=True)]
    middle.set_ylabel("moved, MB")
    middle.legend()
    bottom.bar(places, [layer.live_bytes / _MILLION for layer in found.layers], color="C4")
    bottom.set_ylabel("alive, MB")
    names = [layer.name for layer in found.layers]
    bottom.set_xticks(places, names, rotation=90, fontsize=6)
    bottom.set_xlim(-1, len(names))
    save_figure(figure, path)
