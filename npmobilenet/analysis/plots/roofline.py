"""The roofs of the machine and the layers of a network under them, both axes logarithmic."""

import re
from collections.abc import Iterable
from itertools import groupby
from math import atan2, degrees
from pathlib import Path
from typing import TYPE_CHECKING

from npmobilenet.analysis.machine import threads_text
from npmobilenet.analysis.plots.figure import new_figure, save_figure
from npmobilenet.analysis.plots.kinds import color, legend
from npmobilenet.analysis.plots.labels import place_labels
from npmobilenet.analysis.roofline import RoofedLayer, RoofedProfile, Roofline
from npmobilenet.analysis.roofs import Roofs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GIGA = 1e9
_LINES = ("-", "--", "-.", ":")


def plot_roofline(found: Roofline, path: Path) -> None:
    """Save a chart with blocks as filled, numbered points and layers alone as hollow ones.

    Layers next to each other that cost the same are one point, their mean; layers without
    multiply-adds are left out. Beside the chart stand each number's layer and share of the time.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    fused, unfused = _points(found.fused), _points(found.unfused)
    figure = new_figure(width=11.0, height=6.5)
    axes, key = figure.subplots(1, 2, width_ratios=(3.2, 1))
    axes.set_xscale("log")
    axes.set_yscale("log")
    places = [place for _, place in (*fused, *unfused)]
    peak = found.roofs.peak / _GIGA
    axes.set_xlim(0.6 * min(x for x, _ in places), 2 * max(x for x, _ in places))
    speeds = [y for _, y in places]
    axes.set_ylim(0.5 * min(speeds), 1.7 * max(peak, *speeds))
    for marker, filled, points in (("o", False, unfused), ("s", True, fused)):
        for layers, place in points:
            shade = color(layers[0].time.kind)
            face = shade if filled else "none"
            axes.plot(*place, marker, color=shade, markerfacecolor=face, markersize=6, zorder=3)
    axes.set_xlabel("arithmetic intensity: operations for each byte of weights and activations")
    axes.set_ylabel("Gop/s (multiply-add 2, other operations 1)")
    profile = found.fused.profile
    axes.set_title(
        f"{profile.network}: fused {profile.seconds * 1e3:.2f} ms, unfused "
        f"{found.unfused.profile.seconds * 1e3:.2f} ms\n"
        f"{found.roofs.cpu}, {threads_text(found.roofs.threads)}",
        fontsize=10,
    )
    _legend(axes, [layers[0].time.kind for layers, _ in (*fused, *unfused)])
    names = [str(number) for number in range(1, len(fused) + 1)]
    key.axis("off")
    rows = zip(names, fused, strict=True)
    lines = [f"{name:>2}  {_description(layers)}" for name, (layers, _) in rows]
    text = "fused, share of the time:\n" + "\n".join(lines)
    key.text(0, 1, text, va="top", fontsize=8, family="monospace", linespacing=1.4)
    figure.draw_without_rendering()  # now the layout is final: pixels can be asked for
    figure.set_layout_engine("none")
    _roofs(axes, found.roofs)
    place_labels(axes, [p for _, p in fused], names, [p for _, p in unfused], fontsize=8)
    save_figure(figure, path)


def _points(roofed: RoofedProfile) -> list[tuple[list[RoofedLayer], tuple[float, float]]]:
    """Layers in groups of equal cost, and where in the chart the mean of each group lies."""
    found = []
    for _, group in groupby(roofed.layers, lambda layer: (layer.time.kind, layer.intensity)):
        layers = list(group)
        speed = sum(layer.operations_per_second for layer in layers) / len(layers) / _GIGA
        if layers[0].time.cost.macs and speed:
            found.append((layers, (layers[0].intensity, speed)))
    return found


def _description(layers: list[RoofedLayer]) -> str:
    first, last = (layers[end].time.cost.name for end in (0, -1))
    if first != last and (number := re.search(r"\d+", last)):
        name = re.sub(r"(\d+)", rf"\1-{number[0]}", first, count=1)
    else:
        name = first
    share = sum(layer.time.share_of_time for layer in layers)
    return f"{name} {share:.1%}"


def _roofs(axes: "Axes", roofs: Roofs) -> None:
    left, right = axes.get_xlim()
    low, _ = axes.get_ylim()
    peak = roofs.peak / _GIGA
    for level, line in zip(roofs.levels, _LINES, strict=True):
        speed = level.read / _GIGA
        ridge = peak / speed
        axes.plot([left / 10, ridge], [speed * left / 10, peak], line, color="0.4", linewidth=1)
        start = max(left, low / speed) * 1.1
        if start < ridge:
            ends = axes.transData.transform([(start, speed * start), (ridge, peak)])
            (x0, y0), (x1, y1) = ends
            axes.annotate(
                f"{level.name} {speed:.0f} GB/s",
                (start, speed * start),
                xytext=(-3, 3),
                textcoords="offset points",
                rotation=degrees(atan2(y1 - y0, x1 - x0)),
                rotation_mode="anchor",
                fontsize=8,
                color="0.3",
            )
    slowest = peak / max(level.read for level in roofs.levels) * _GIGA
    axes.plot([slowest, right], [peak, peak], color="0.2", linewidth=1.2)
    text = f"FMA peak {peak:.0f} GFLOP/s"
    axes.text(right * 0.95, peak * 1.06, text, ha="right", fontsize=8, color="0.2")


def _legend(axes: "Axes", kinds: Iterable[str]) -> None:
    for group, shade in legend(kinds).items():
        axes.plot([], [], "o", color=shade, label=group)
    axes.plot([], [], "s", color="0.3", label="fused")
    axes.plot([], [], "o", color="0.3", markerfacecolor="none", label="unfused")
    axes.legend(fontsize=8, loc="lower right")
