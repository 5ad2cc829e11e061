"""Pictures to embeddings as a scikit-learn transformer."""

from typing import Any, Self

import numpy as np

from npmobilenet.images import ImageSource
from npmobilenet.model import Model
from npmobilenet.transfer.estimator import Estimator


class Embedder(Estimator):
    """The mean of a model's last feature map, for pipelines such as
    ``make_pipeline(Embedder(model), SoftmaxHead())``.

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
            If a picture cannot be decoded.
        """
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, found {self.batch_size!r}")
        pictures = X if isinstance(X, list | tuple | np.ndarray) else [X]
        if isinstance(pictures, np.ndarray) and pictures.ndim == 3:
            pictures = pictures[np.newaxis]
        starts = range(0, len(pictures), self.batch_size)
        # An array of paths, as scikit-learn's splitters give them, is no array of pixels.
        parts = [pictures[start : start + self.batch_size] for start in starts]
        return np.concatenate(
            [self.model.embed(list(part) if _is_paths(part) else part) for part in parts]
        )

    def fit_transform(self, X: ImageSource, y: object = None) -> np.ndarray:  # noqa: N803
        """The same as `transform`."""
        return self.transform(X)


def _is_paths(pictures: Any) -> bool:
    return isinstance(pictures, np.ndarray) and pictures.ndim == 1
