"""Figures of a parity report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from npmobilenet.analysis.parity import Difference, LayerParity, Parity
from npmobilenet.analysis.parity.text import field
from npmobilenet.analysis.parity.ulp import bucket_names
from npmobilenet.analysis.plots.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 11.0
_OURS, _REFERENCE, _LIMIT = "#1f6fb2", "#e08214", "#8a93a3"
_LARGEST = 1e10  # what is infinite is drawn there


def error_figure(found: Parity) -> "Figure":
    """Largest error of each layer against float64, as a share of the layer's largest value."""
    rows = found.compared()
    figure = new_figure(_WIDTH, 4.6)
    axes = figure.subplots()
    for label, color, marker, errors in (
        (found.reference, _REFERENCE, "s", [row.reference for row in rows]),
        (found.ours, _OURS, "o", [row.ours for row in rows]),
    ):
        if any(errors):
            _series(axes, [field(error, "relative") for error in errors], label, color, marker)
    allowed = [_share(row.allowed, row.largest) for row in rows]
    places = np.arange(len(rows))
    axes.plot(places, allowed, color=_LIMIT, linestyle="--", linewidth=1, label="allowed")
    beyond = [place for place, row in enumerate(rows) if not row.within_limits]
    _mark(axes, beyond, "beyond the limits")
    axes.set_ylabel("largest error / largest value")
    axes.set_title("Error of each layer against float64", loc="left")
    _finish(axes, rows)
    return figure


def rounding_figure(found: Parity) -> "Figure":
    """The share of the rounding bound that each layer by itself uses."""
    rows = found.compared()
    figure = new_figure(_WIDTH, 4.2)
    axes = figure.subplots()
    theirs = [row.reference_bound_used for row in rows]
    if any(share is not None for share in theirs):
        _series(axes, theirs, found.reference, _REFERENCE, "s", linewidth=0)
    ours = [field(row.our_rounding, "bound_used") for row in rows]
    _series(axes, ours, found.ours, _OURS, "o", linewidth=0)
    axes.axhline(1, color=_LIMIT, linestyle="--", linewidth=1, label="bound")
    wrong = [i for i, row in enumerate(rows) if row.our_rounding and not row.our_rounding.explained]
    _mark(axes, wrong, "not explained by rounding")
    axes.set_ylabel("share of the bound")
    axes.set_title("Each layer by itself: how much of the rounding bound it uses", loc="left")
    _finish(axes, rows)
    return figure


def ulp_figure(found: Parity) -> "Figure":
    """How many values of each layer are how many units in the last place off."""
    from matplotlib.colors import PowerNorm

    rows = found.compared()
    charts = [(f"{found.ours}, from float64", [row.ours for row in rows])]
    if any(row.reference for row in rows):
        charts.append((f"{found.reference}, from float64", [row.reference for row in rows]))
        charts.append((f"{found.ours} from {found.reference}", [row.apart for row in rows]))
    figure = new_figure(_WIDTH, 1.2 + 2.6 * len(charts))
    scale = PowerNorm(0.4, 0, 1)  # a thousandth of the values should be seen
    every = figure.subplots(len(charts), 1, squeeze=False, sharex=True)[:, 0]
    for axes, (title, differences) in zip(every, charts, strict=True):
        shares = np.array([_histogram(difference) for difference in differences]).T
        image = axes.imshow(
            np.ma.masked_invalid(shares), aspect="auto", origin="lower", cmap="YlGnBu", norm=scale
        )
        names = bucket_names()
        axes.set_yticks(range(0, len(names), 2), names[::2], fontsize=7)
        axes.set_ylabel("ULP")
        axes.set_title(title, loc="left", fontsize=10)
    figure.colorbar(image, ax=list(every), label="share of the layer's values", shrink=0.8)
    _name_layers(every[-1], rows)
    return figure


def _series(
    axes: "Axes",
    values: Sequence[float | None],
    label: str,
    color: str,
    marker: str,
    linewidth: float = 1,
) -> None:
    """A line through the values; zeros have no place on a logarithmic axis."""
    heights = [np.nan if value is None else min(value, _LARGEST) or np.nan for value in values]
    axes.plot(heights, marker=marker, markersize=4, linewidth=linewidth, color=color, label=label)


def _mark(axes: "Axes", places: Sequence[int], label: str) -> None:
    for number, place in enumerate(places):
        axes.axvline(place, color="#c0392b", alpha=0.25, linewidth=4, label="" if number else label)


def _finish(axes: "Axes", rows: Sequence[LayerParity]) -> None:
    axes.set_yscale("log")
    axes.grid(axis="y", color="#e6e9ef")
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="upper right", bbox_to_anchor=(1, 1.12))
    _name_layers(axes, rows)


def _name_layers(axes: "Axes", rows: Sequence[LayerParity]) -> None:
    axes.set_xticks(range(len(rows)), [row.name for row in rows], rotation=90, fontsize=6)


def _share(part: float | None, whole: float) -> float:
    return np.nan if part is None or whole == 0 else part / whole


def _histogram(difference: Difference | None) -> Sequence[float]:
    if difference is None:
        return [np.nan] * len(bucket_names())
    total = sum(difference.ulp_histogram)
    return [count / total for count in difference.ulp_histogram]
