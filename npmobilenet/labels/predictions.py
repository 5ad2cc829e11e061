"""The most probable classes, with their names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from npmobilenet.counts import whole_number
from npmobilenet.errors import LabelsError
from npmobilenet.labels.labels import Labels


@dataclass(frozen=True)
class Prediction:
    """One class and how probable it is."""

    index: int
    wnid: str | None
    label: str
    probability: float


def ranked(scores: np.ndarray) -> np.ndarray:
    """Indices from the highest score to the lowest; of equal ones the lower index is first."""
    return np.argsort(-scores, kind="stable")


def top_predictions(
    probabilities: npt.ArrayLike,
    labels: Labels,
    top: int | None = 5,
    threshold: float | None = None,
    allow: Sequence[str] | None = None,
    deny: Sequence[str] | None = None,
) -> list[Prediction]:
    """The most probable classes of one sample, the most probable first.

    Probabilities are reported as they are: leaving classes out does not rescale the others.

    Parameters
    ----------
    probabilities : array of shape (classes,)
    labels : Labels
    top : int, optional
        How many at most; ``None`` for all.
    threshold : float, optional
        The smallest probability that is reported.
    allow, deny : sequence of str, optional
        Names or WordNet ids of the classes to keep to, and of those to leave out. A class in both
        is left out.

    Raises
    ------
    LabelsError
        If there are not as many labels as probabilities, or no class has a name that is listed.
    ValueError
        If ``probabilities`` has other axes, or ``top`` is not positive.
    """
    scores = np.asarray(probabilities)
    if scores.ndim != 1:
        raise ValueError(f"expected the probabilities of one sample, found shape {scores.shape}")
    if len(scores) != len(labels):
        raise LabelsError(f"found {len(labels)} labels, expected one for {len(scores)} classes")
    most = None if top is None else whole_number(top, "top")
    kept = np.ones(len(scores), bool)
    if allow is not None:
        kept[:] = False
        kept[labels.indices(allow)] = True
    if deny is not None:
        kept[labels.indices(deny)] = False
    if threshold is not None:
        kept &= scores >= threshold
    order = ranked(scores)
    return [
        Prediction(int(index), labels.wnid(index), labels.names[index], float(scores[index]))
        for index in order[kept[order]][:most]
    ]
