"""The rungs of ladders as bars, up to the machine's peak."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from npmobilenet.analysis.ladder import RungSpeed
from npmobilenet.analysis.plots.figure import new_figure, save_figure

_GIGA = 1e9


def plot_ladder(rows: Sequence[RungSpeed], path: Path) -> None:
    """Save a figure with one bar chart for each operation and shape, lowest rung on top.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    charts = [list(chart) for _, chart in groupby(rows, lambda row: (row.operation, row.shape))]
    heights = [len(chart) + 2 for chart in charts]
    figure = new_figure(width=8.0, height=0.34 * sum(heights))
    every = figure.subplots(len(charts), 1, squeeze=False, height_ratios=heights)
    for axes, chart in zip(every[:, 0], charts, strict=True):
        peak = chart[0].peak / _GIGA
        names = [f"{row.number} {row.name}" for row in chart]
        bars = axes.barh(names, [row.flops / _GIGA for row in chart], color="C0")
        texts = [f"{row.flops / _GIGA:.1f} ({row.share:.0%})" for row in chart]
        axes.bar_label(bars, texts, padding=3, fontsize=8)
        axes.axvline(peak, color="C3", linestyle="--", label=f"FMA peak, {peak:.0f}")
        axes.invert_yaxis()
        axes.set_xlim(0, 1.2 * max(peak, *(row.flops / _GIGA for row in chart)))
        axes.set_title(chart[0].layer, fontsize=10)
        axes.legend(loc="upper right", fontsize=8)
    every[-1, 0].set_xlabel("GFLOP/s, 1 MAC = 2 FLOP (share of the FMA peak)")
    save_figure(figure, path)
