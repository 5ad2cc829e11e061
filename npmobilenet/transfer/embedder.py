"""Pictures to embeddings as a scikit-learn transformer."""

from typing import Any, Self

import numpy as np

from npmobilenet.images import ImageSource
from npmobilenet.images.preparing import PIXEL_RANGE
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
    float_range : tuple
        What black and white are in arrays of float, as in :meth:`Model.prepare`.
    """

    def __init__(
        self,
        model: Model,
        *,
        batch_size: int = 32,
        float_range: tuple[float, float] = PIXEL_RANGE,
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        self.float_range = float_range

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
        X : path, PIL image, array, or several of them
            As :meth:`npmobilenet.model.Model.embed` takes them: generators and arrays of paths too.

        Returns
        -------
        ndarray of shape (pictures, channels), float32

        Raises
        ------
        ImageError
            If a picture cannot be decoded, or there is none.
        PictureInputError
            If nothing says what values the model takes.
        ValueError
            If the batch size makes no sense.
        """
        return self.model.embed(X, batch_size=self.batch_size, float_range=self.float_range)

    def fit_transform(self, X: ImageSource, y: object = None) -> np.ndarray:  # noqa: N803
        """The same as `transform`."""
        return self.transform(X)
