"""How good a classifier is, class by class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassFigures:
    """Figures of one class, from 0 to 1; 0 where there is nothing to divide by.

    Parameters
    ----------
    label : str
    precision : float
        Of the samples that were taken for this class, the share that are.
    recall : float
        Of the samples of this class, the share that were found.
    f1 : float
        Harmonic mean of the two.
    support : int
        Samples of this class.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How often each class (row) was taken for each class (column), int64."""
    pairs = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def class_figures(confusion: np.ndarray, labels: Sequence[str]) -> list[ClassFigures]:
    """Precision, recall and F1 of each class."""
    right = np.diag(confusion)
    predicted, actual = confusion.sum(axis=0), confusion.sum(axis=1)
    precision, recall = right / np.maximum(predicted, 1), right / np.maximum(actual, 1)
    f1 = 2 * right / np.maximum(predicted + actual, 1)
    return [
        ClassFigures(label, float(precision[i]), float(recall[i]), float(f1[i]), int(actual[i]))
        for i, label in enumerate(labels)
    ]
