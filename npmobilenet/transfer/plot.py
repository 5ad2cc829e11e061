"""A picture of a training run: curves, confusion matrix, figures of each class."""

from collections.abc import Mapping, Sequence
from os import PathLike

import numpy as np

from npmobilenet.atomic import replacing
from npmobilenet.transfer.metrics import ClassFigures

_BLUE, _ORANGE, _GREEN = "#2f6db3", "#d9822b", "#3f8f5b"


def save_training_plot(
    path: str | PathLike[str],
    history: Mapping[str, Sequence[float]],
    confusion: np.ndarray,
    figures: Sequence[ClassFigures],
    title: str,
) -> None:
    """Draw a training run.

    Parameters
    ----------
    path : str or path
        ``.png`` or ``.svg``.
    history : mapping
        As ``SoftmaxHead.history_``.
    confusion : ndarray of shape (classes, classes)
    figures : sequence of ClassFigures
    title : str

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If matplotlib does not know the suffix.
    """
    from matplotlib.figure import Figure

    classes = len(figures)
    figure = Figure(figsize=(15, max(4.5, 0.32 * classes + 2)), layout="constrained")
    curves, matrix, bars = figure.subplots(1, 3)
    figure.suptitle(title)

    epochs = range(1, len(history["loss"]) + 1)
    curves.plot(epochs, history["loss"], color=_BLUE, label="training")
    if "val_loss" in history:
        curves.plot(epochs, history["val_loss"], color=_ORANGE, label="validation")
    curves.set(xlabel="epoch", ylabel="loss", title="Loss", ylim=(0, None))
    curves.legend(frameon=False)
    curves.spines[["top", "right"]].set_visible(False)

    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    matrix.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    labels = [row.label for row in figures]
    matrix.set_xticks(range(classes), labels, rotation=90 if classes > 6 else 30)
    matrix.set_yticks(range(classes), labels)
    matrix.set(xlabel="predicted", ylabel="true", title="Confusion matrix")
    if classes <= 30:
        for row, column in np.argwhere(confusion > 0):
            color = "white" if shares[row, column] > 0.5 else "black"
            matrix.text(column, row, confusion[row, column], ha="center", va="center", color=color)

    rows = np.arange(classes)
    for offset, name, color in (
        (-0.27, "precision", _BLUE),
        (0.0, "recall", _ORANGE),
        (0.27, "f1", _GREEN),
    ):
        values = [getattr(row, name) for row in figures]
        bars.barh(rows + offset, values, height=0.25, color=color, label=name)
    bars.set_yticks(rows, [f"{row.label} ({row.support})" for row in figures])
    bars.invert_yaxis()
    bars.set(xlim=(0, 1), title="Each class (pictures)")
    bars.spines[["top", "right"]].set_visible(False)
    bars.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3)

    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130)
