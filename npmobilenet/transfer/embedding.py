"""Embeddings of many picture files, from the cache where they are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from os import PathLike

import numpy as np

from npmobilenet.architecture.pictures import picture_channels, picture_size
from npmobilenet.backends import compile_network
from npmobilenet.formats import tensors_digest
from npmobilenet.model import DEFAULT_SIZE, Model
from npmobilenet.transfer.augmentation import Augmentation
from npmobilenet.transfer.classifier import trunk
from npmobilenet.transfer.embedding_cache import EmbeddingCache, file_digest
from npmobilenet.transfer.folder import Sample
from npmobilenet.transfer.stream import ImageStream, Picture, Skipped

Progress = Callable[[int], None]
"""Called with the number of pictures that are done since the last call."""

# A random crop is cut out of a picture that is this much larger, as 224 out of 256.
_MARGIN = 8 / 7


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of those samples that could be read.

    Parameters
    ----------
    values : ndarray of shape (pictures, size), float32
    positions : ndarray of shape (pictures,), int64
        Which samples these are.
    skipped : tuple of Skipped
    computed : int
        How many were not in the cache.
    """

    values: np.ndarray
    positions: np.ndarray
    skipped: tuple[Skipped, ...]
    computed: int


class FolderEmbedder:
    """Embeds picture files with a model, as the model itself prepares pictures.

    Parameters
    ----------
    model : Model
    cache : path or bool
        A folder for embeddings; ``True`` stands for one in the user's cache, ``False`` for none.
    batch_size, workers : int
        As in :class:`npmobilenet.transfer.stream.ImageStream`.

    Attributes
    ----------
    network : Network
        From pixels of 0 to 255 to the embedding.
    """

    def __init__(
        self,
        model: Model,
        *,
        cache: str | PathLike[str] | bool = True,
        batch_size: int = 32,
        workers: int = 2,
    ) -> None:
        self.network = trunk(model.network)
        self._program = compile_network(self.network, model.weights, model.backend)
        size = picture_size(model.network, DEFAULT_SIZE)
        self._picture = Picture(size, model.resize, model.crop, picture_channels(model.network))
        features = {name: model.weights[name] for name in self.network.variables}
        # Layers without tensors count too: how a front resizes, and what it scales by.
        layers = sha256(repr(self.network.nodes).encode()).hexdigest()
        self._recipe = f"{tensors_digest(features)} {layers}"
        self._cache = cache
        self._batch_size = batch_size
        self._workers = workers

    def embed(
        self,
        samples: Sequence[Sample],
        *,
        augmentation: Augmentation | None = None,
        random_crop: bool = False,
        seed: int = 0,
        copy: int = 0,
        on_progress: Progress | None = None,
        on_skip: Callable[[Skipped], None] | None = None,
    ) -> Embeddings:
        """Embed picture files.

        Parameters
        ----------
        samples : sequence of Sample
        augmentation : Augmentation, optional
            What changes the pictures first.
        random_crop : bool
            Whether augmented pictures are cut at random out of larger ones.
        seed, copy : int
            Each copy of a picture is augmented in another way.
        on_progress, on_skip : callable, optional
        """
        picture = self._picture
        if augmentation is not None and random_crop:
            picture, augmentation = _cropping(picture, augmentation)
        cache = self._open_cache(picture, augmentation, seed, copy)
        size = self.network.output_shape[-1] or 0
        values = np.empty((len(samples), size), np.float32)
        done = np.zeros(len(samples), bool)
        digests: dict[int, str] = {}
        if cache is not None:
            for position, sample in enumerate(samples):
                digests[position] = file_digest(sample.path)
                known = cache.get(digests[position])
                if known is not None:
                    values[position], done[position] = known, True
        _report(on_progress, int(done.sum()))

        missing = np.flatnonzero(~done)
        stream = ImageStream(
            [samples[int(position)] for position in missing],
            picture,
            augmentation=augmentation,
            seed=seed,
            batch_size=self._batch_size,
            workers=self._workers,
            on_skip=on_skip,
        )
        for batch in stream.epoch(copy):
            found = self._program(batch.images.astype(np.float32))
            positions = missing[batch.positions]
            values[positions], done[positions] = found, True
            if cache is not None:
                for position in positions:
                    cache.put(digests[int(position)], values[position])
            _report(on_progress, len(positions))
        _report(on_progress, len(stream.skipped))
        return Embeddings(
            values[done],
            np.flatnonzero(done),
            tuple(stream.skipped),
            len(missing) - len(stream.skipped),
        )

    def _open_cache(
        self, picture: Picture, augmentation: Augmentation | None, seed: int, copy: int
    ) -> EmbeddingCache | None:
        if self._cache is False:
            return None
        recipe = f"{self._recipe} {picture}"
        if augmentation is not None:
            recipe += f" {augmentation} seed {seed} copy {copy}"
        root = None if self._cache is True else self._cache
        return EmbeddingCache(root, recipe, self.network.output_shape[-1] or 0)


def _cropping(picture: Picture, augmentation: Augmentation) -> tuple[Picture, Augmentation]:
    """All of each picture, a little larger, and a part of the usual size out of it."""
    height, width = picture.size
    size = round(height * _MARGIN), round(width * _MARGIN)
    larger = replace(picture, size=size, crop=None)
    return larger, replace(augmentation, crop=picture.size)


def _report(on_progress: Progress | None, count: int) -> None:
    if on_progress is not None and count:
        on_progress(count)
