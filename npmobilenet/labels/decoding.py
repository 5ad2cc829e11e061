"""``decode_predictions`` as in ``keras.applications``."""

import numpy as np
import numpy.typing as npt

from npmobilenet.counts import whole_number
from npmobilenet.labels.imagenet import imagenet_labels
from npmobilenet.labels.predictions import ranked

Decoded = tuple[str | None, str, np.floating]
"""``(WordNet id, name, score)``."""


def decode_predictions(preds: npt.ArrayLike, top: int = 5) -> list[list[Decoded]]:
    """The most probable ImageNet classes of each sample.

    Parameters
    ----------
    preds : array of shape (samples, 1000) or (samples, 1001)
        With 1001 columns, which Keras does not take, the first is the background class; it is
        ranked with the others, as ``(None, "background", score)``.
    top : int
        How many classes of each sample.

    Returns
    -------
    list of lists of tuples
        ``(WordNet id, name, score)``, the highest score first; of equal scores the lower index.

    Raises
    ------
    ValueError
        If ``preds`` has another shape, or ``top`` is not positive.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] not in (1000, 1001):
        raise ValueError(
            "decode_predictions takes predictions of shape (samples, 1000), or (samples, 1001) "
            f"with a background class; found {scores.shape}"
        )
    top = whole_number(top, "top")
    labels = imagenet_labels(scores.shape[1])
    return [
        [(labels.wnid(index), labels.names[index], row[index]) for index in ranked(row)[:top]]
        for row in scores
    ]
