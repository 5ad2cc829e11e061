"""Pictures to embeddings as a scikit-learn transformer."""

from typing import Any, Self

import numpy as np

from npmobilenet.images import ImageSource, OneImage
from npmobilenet.model import Model
from npmobilenet.transfer.estimator import Estimator


class Embedder(Estimator):
    """The mean of a model's last feature map, for a list of pictures.

    It stands before an estimator, as in ``make_pipeline(Embedder(model), SoftmaxHead())``.

    Parameters
    ----------
    model : Model
    batch_size : int
        Pictures at a time; it bounds the memory in use.
    """

    def __init__(self, model: Model, *, batch_size: int = 32) -> None:
        self.model = model
        self.batch_size = batch_size

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect; only scikit-learn asks."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
            input_tags=InputTags(two_d_array=False, string=True),
            requires_fit=False,
        )

    def fit(self, X: object = None, y: object = None) -> Self:  # noqa: N803
        """There is nothing to learn."""
        return self

    def transform(self, X: ImageSource) -> np.ndarray:  # noqa: N803
        """Embed pictures.

        Parameters
        ----------
        X : path, PIL image, array, or a sequence of them
            As :meth:`npmobilenet.model.Model.embed` takes them.

        Returns
        -------
        ndarray of shape (pictures, channels), float32

        Raises
        ------
        ImageError
            If a picture cannot be decoded, or there is none.
        ValueError
            If the batch size makes no sense.
        """
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, found {self.batch_size!r}")
        pictures = _listed(X)
        starts = range(0, len(pictures), self.batch_size)
        return np.concatenate(
            [self.model.embed(pictures[start : start + self.batch_size]) for start in starts]
        )

    def fit_transform(self, X: ImageSource, y: object = None) -> np.ndarray:  # noqa: N803
        """The same as `transform`."""
        return self.transform(X)


def _listed(pictures: ImageSource) -> list[OneImage]:
    """Pictures one by one; scikit-learn's splitters give arrays of paths."""
    if isinstance(pictures, np.ndarray):
        return [pictures] if pictures.ndim in (2, 3) else list(pictures)
    if isinstance(pictures, list | tuple):
        return list(pictures)
    return [pictures]  # type: ignore[list-item]
