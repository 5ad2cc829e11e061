"""What the server can do, for the endpoint and the page alike."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from npmobilenet.app.failures import RequestError
from npmobilenet.app.limits import Settings
from npmobilenet.app.models import Models
from npmobilenet.app.workers import Workers
from npmobilenet.architecture.heads import is_classifier
from npmobilenet.backends import usable_backend
from npmobilenet.engine import warm_up
from npmobilenet.images import decode_image
from npmobilenet.labels import Prediction

T = TypeVar("T")


class Service:
    """Models, limits and threads in one place.

    `decode`, `classify` and `embed` compute, so that an event loop calls them through `run`; they
    may be called by several threads at once.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    UnknownModelError
        If a model of the settings is neither in the catalogue nor a file.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.models = Models(settings)
        self.workers = Workers(settings.limits)

    def prepare(self) -> None:
        """Get kernels and default model ready, so that the first request need not wait.

        Raises
        ------
        NpMobileNetError, OSError
            If the default model's weights cannot be had.
        """
        if usable_backend(self.settings.backend) == "numba":
            warm_up()
        self.models.get()

    async def run(self, function: Callable[[], T]) -> T:
        """Call a function in a thread, if not too many are waiting; for the page.

        Raises
        ------
        BusyError
            If too many are, or it takes too long.
        """
        with self.workers.admit():
            return await self.workers.run(function)

    def decode(self, content: bytes, most: int | None = None) -> np.ndarray:
        """A picture file's bytes as an array, within the limit of pixels.

        Parameters
        ----------
        content : bytes
        most : int, optional
            Another, smaller limit.

        Returns
        -------
        ndarray of shape (height, width, 3), uint8

        Raises
        ------
        ImageTooLargeError
            If it has too many pixels.
        ImageError
            If it is damaged or no picture.
        """
        pixels = self.limits.pixels
        return decode_image(content, max_pixels=pixels if most is None else min(pixels, most))

    def classify(
        self,
        picture: np.ndarray,
        model: str | None = None,
        topk: int = 5,
        *,
        threshold: float | None = None,
        allow: list[str] | None = None,
        deny: list[str] | None = None,
    ) -> list[Prediction]:
        """The most probable classes of a picture.

        Parameters
        ----------
        picture : ndarray of shape (height, width, 3), uint8
        model : str, optional
            By default the server's first.
        topk, threshold, allow, deny
            As in :meth:`npmobilenet.model.Model.classify`.

        Raises
        ------
        UnknownModelError
            If no model is called so.
        RequestError
            If the model is no classifier.
        LabelsError
            If no class has a name that is listed.
        PictureInputError
            If nothing says what values the model takes.
        """
        chosen = self.models.get(model)
        if not is_classifier(chosen.network):
            raise RequestError(422, f"model {model!r} has no classifier; it can only embed")
        return chosen.classify(picture, topk, threshold=threshold, allow=allow, deny=deny)

    def embed(self, pictures: Sequence[np.ndarray], model: str | None = None) -> np.ndarray:
        """Embeddings of pictures, float32 ``(pictures, size)``.

        Parameters
        ----------
        pictures : sequence of ndarray of shape (height, width, 3), uint8
        model : str, optional
            By default the server's first.

        Raises
        ------
        UnknownModelError
            If no model is called so.
        """
        return self.models.get(model).embed(list(pictures))

    def close(self) -> None:
        """Begin nothing more."""
        self.workers.close()
