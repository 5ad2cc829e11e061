"""Feature maps, channels, checkpoints and class activation maps as figures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.channels import ChannelStatistics
from npmobilenet.analysis.inside.checkpoint import CheckpointReport
from npmobilenet.analysis.inside.class_activation import ClassActivationMap, overlay
from npmobilenet.analysis.plots.figure import new_figure, save_figure
from npmobilenet.images import OneImage, decode_image

_INCHES = 8.0


def plot_grid(grid: NDArray[np.uint8], title: str, path: Path) -> None:
    """Save a grid of :func:`npmobilenet.analysis.inside.image_grid` under a title.

    Raises
    ------
    ValueError
        If matplotlib is not installed, or the ending of ``path`` is no format.
    OSError
        If the file cannot be written.
    """
    height, width = grid.shape[:2]
    figure = new_figure(width=_INCHES, height=_INCHES * height / width + 0.4)
    axes = figure.subplots()
    axes.imshow(grid, interpolation="nearest")
    axes.set_title(title)
    axes.axis("off")
    save_figure(figure, path)


def plot_class_activation(image: OneImage, found: ClassActivationMap, path: Path) -> None:
    """Save the picture beside the map drawn over it, with the scale of the map.

    Raises as :func:`plot_grid`.
    """
    height, width = found.picture_shape
    figure = new_figure(width=10.0, height=4.5 * height / width + 0.4)
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    left, right = figure.subplots(1, 2)
    left.imshow(decode_image(image))
    left.set_title("the picture, and what the network sees of it")
    top, start, box_height, box_width = found.box
    seen = Rectangle((start, top), box_width, box_height, fill=False, color="white", linestyle="--")
    left.add_patch(seen)
    right.imshow(overlay(image, found))
    # How strong the overlay's colours are depends on the map; this is their scale.
    largest = float(np.abs(found.values).max())
    scale = ScalarMappable(Normalize(-largest, largest), cmap="RdBu_r")
    figure.colorbar(scale, ax=right, shrink=0.8, label="contribution to the logit")
    right.set_title(
        f"{found.label}: {found.logit:.2f} = {found.values.mean():.2f} + {found.offset:.2f}"
    )
    for axes in (left, right):
        axes.axis("off")
    save_figure(figure, path)


def plot_channels(found: Sequence[ChannelStatistics], path: Path) -> None:
    """Save a figure over the layers, or over the channels if there is one layer: range and shares.

    Raises as :func:`plot_grid`.
    """
    if len(found) == 1:
        (row,) = found
        names = None
        minimum, maximum, mean, zeros = row.minimum, row.maximum, row.mean, row.zeros
        clipped = np.zeros_like(zeros) if row.clipped is None else row.clipped
        title = f"{row.layer}, pictures: {row.pictures}"
    else:
        names = [row.layer for row in found]
        minimum = np.array([row.minimum.min() for row in found])
        maximum = np.array([row.maximum.max() for row in found])
        mean = np.array([row.mean.mean() for row in found])
        zeros = np.array([row.zeros.mean() for row in found])
        clipped = np.array([0.0 if row.clipped is None else row.clipped.mean() for row in found])
        title = f"{len(found)} layers, pictures: {found[0].pictures}"
    figure = new_figure(width=max(_INCHES, 0.14 * len(mean)), height=6.0)
    top, bottom = figure.subplots(2, 1, sharex=True)
    places = np.arange(len(mean))
    top.vlines(places, minimum, maximum, color="C0", label="smallest to largest")
    top.plot(places, mean, "C3.", markersize=4, label="mean")
    if names is not None:  # layers differ by orders of magnitude
        top.set_yscale("symlog", linthresh=1.0)
    top.set_ylabel("activation")
    top.set_title(title)
    top.legend()
    bottom.bar(places, zeros, color="C7", label="zeros")
    bottom.bar(places, clipped, bottom=zeros, color="C1", label="clipped at the limit")
    bottom.set_ylabel("share of the values")
    bottom.set_ylim(0, 1)
    bottom.legend()
    if names is None:
        bottom.set_xlabel("channel")
    else:
        bottom.set_xticks(places, names, rotation=90, fontsize=6)
    save_figure(figure, path)


def plot_checkpoint(report: CheckpointReport, path: Path) -> None:
    """Save a figure over the layers: constant and silent channels, and the folded scales.

    Raises as :func:`plot_grid`.
    """
    rows = report.kernels
    figure = new_figure(width=max(_INCHES, 0.2 * len(rows)), height=6.0)
    top, bottom = figure.subplots(2, 1, sharex=True)
    places = np.arange(len(rows))
    constant = np.array([len(row.constant) / row.channels for row in rows])
    silent = np.array([len(row.silent) / row.channels for row in rows])
    top.bar(places, constant, color="C1", label="constant, not 0")
    top.bar(places, silent, color="C7", label="silent")
    top.set_ylabel("share of the channels")
    top.set_title(f"{report.network}: {report.constant} constant channels, {report.silent} silent")
    top.legend()
    normed = [place for place, row in zip(places, rows, strict=True) if row.norm]
    smallest = [row.scale_smallest for row in rows if row.norm]
    largest = [row.scale_largest for row in rows if row.norm]
    bottom.vlines(normed, smallest, largest, color="C0", linewidth=3)
    bottom.set_yscale("log")
    bottom.set_ylabel("folded scale, smallest to largest")
    bottom.set_xticks(places, [row.name for row in rows], rotation=90, fontsize=6)
    save_figure(figure, path)
