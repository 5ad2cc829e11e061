"""What each ablation changes, as bars and as a map over the layers."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npmobilenet.analysis.ablation import Ablations
from npmobilenet.analysis.plots.figure import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from npmobilenet.analysis.ablation import Drift

_SMALLEST, _LARGEST = 1e-8, 1.0  # relative errors: the map's ends


def plot_ablations(found: Ablations, path: Path) -> None:
    """Save a figure: changed predictions, change of probability, and the error of every layer.

    Raises
    ------
    ValueError
        If nothing was run, matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    rows = [row for row in found.rows if row.found is not None]
    if not rows:
        raise ValueError("nothing to draw: every ablation is what the network has")
    figure = new_figure(width=14.0, height=1.9 + 0.29 * len(rows))
    figure.suptitle(
        f"{found.network}: what changes with one decision, {found.images} pictures",
        x=0.01, ha="left", fontsize=12,
    )  # fmt: skip
    # The map puts its first row on top, and the bars share its axis.
    left, middle, right = figure.subplots(1, 3, sharey=True, width_ratios=(2, 2, 7))
    places = np.arange(len(rows))
    _agreement(left, rows)
    _probabilities(middle, rows)
    _layers(right, rows)
    left.set_yticks(places, [f"{row.switch}  {row.setting}" for row in rows], fontsize=8)
    for axes in (left, middle):
        axes.grid(axis="x", color="#e6e9ef")
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    save_figure(figure, path)


def _agreement(axes: "Axes", rows: "list[Drift]") -> None:
    top5 = [100 * (1 - row.found.top5_agreement) for row in rows if row.found]
    top1 = [100 * (1 - row.found.top1_agreement) for row in rows if row.found]
    places = np.arange(len(rows))
    axes.barh(places, top5, color="#c6dbef", label="set of five")
    bars = axes.barh(places, top1, height=0.5, color="#1f6fb2", label="first")
    axes.bar_label(bars, [f"{value:.0f}" if value else "" for value in top1], fontsize=7, padding=2)
    axes.set_xlim(0, 100)
    axes.set_xlabel("pictures with another\nprediction, %")
    axes.legend(loc="lower right", fontsize=7, frameon=False)


def _probabilities(axes: "Axes", rows: "list[Drift]") -> None:
    changes = [row.found.mean_probability_change for row in rows if row.found]
    axes.barh(np.arange(len(rows)), np.maximum(changes, _SMALLEST), color="#e08214")
    axes.set_xscale("log")
    axes.set_xlim(_SMALLEST, 1)
    axes.set_xlabel("change of probability,\nmean over pictures")


def _layers(axes: "Axes", rows: "list[Drift]") -> None:
    """One column a layer, from first to last; white where an ablation has no such layer."""
    from matplotlib.colors import LogNorm

    longest = max((row.found.layers for row in rows if row.found), key=len)
    names = [layer.name for layer in longest]
    errors = np.full((len(rows), len(names)), np.nan)
    for place, row in enumerate(rows):
        for layer in row.found.layers if row.found else ():
            if layer.name in names:
                errors[place, names.index(layer.name)] = max(layer.rms_relative, _SMALLEST)
    image = axes.imshow(
        np.ma.masked_invalid(errors), aspect="auto", cmap="viridis", interpolation="nearest",
        norm=LogNorm(_SMALLEST, _LARGEST),
    )  # fmt: skip
    step = max(1, len(names) // 45)
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=90, fontsize=6)
    figure = axes.get_figure()
    assert figure is not None  # noqa: S101
    figure.colorbar(image, ax=axes, label="RMS error / RMS of the layer", pad=0.01, extend="both")
