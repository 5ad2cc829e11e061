"""Pictures decoded and augmented in background threads, in a fixed order, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from npmobilenet.counts import whole_number
from npmobilenet.errors import ImageError
from npmobilenet.images import OneImage, central_crop, decode_image, resize
from npmobilenet.transfer.augmentation import Augmentation
from npmobilenet.transfer.embedding_cache import file_digest
from npmobilenet.transfer.folder import Sample


@dataclass(frozen=True)
class Picture:
    """How a picture file becomes an array for a network.

    Parameters
    ----------
    size : tuple of int
        ``(height, width)``.
    resize : str
        One of ``npmobilenet.images.RESIZE_MODES``.
    crop : float, optional
        Fraction that is kept around the centre; ``None`` keeps all.
    channels : {1, 3, 4}
        Grey, RGB or RGBA.
    """

    size: tuple[int, int]
    resize: str = "pil-bilinear"
    crop: float | None = 0.875
    channels: int = 3

    def load(self, source: OneImage) -> np.ndarray:
        """A picture ``(*size, channels)`` of values from 0 to 255: uint8, float32 for ``tf-*``.

        Raises
        ------
        ImageError
            If it cannot be decoded.
        """
        image = decode_image(source, channels=self.channels)
        if self.crop is not None:
            image = central_crop(image, self.crop)
        return resize(image, self.size, self.resize)


@dataclass(frozen=True)
class Batch:
    """Some pictures of a stream.

    Parameters
    ----------
    images : ndarray of shape (pictures, height, width, 3)
        Values from 0 to 255.
    class_indices : ndarray of shape (pictures,), int64
    positions : ndarray of shape (pictures,), int64
        Which samples of the stream these are.
    """

    images: np.ndarray
    class_indices: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be used.

    Parameters
    ----------
    sample : Sample
    reason : str
        Names the file.
    """

    sample: Sample
    reason: str


class ImageStream:
    """Batches of pictures, decoded ahead of their use.

    Every pass gives the same pictures in the same order for the same seed and epoch, whatever the
    number of workers. How a picture is augmented depends on its content, the seed and the epoch,
    and not on the other pictures. A picture that cannot be decoded is skipped and reported.

    Parameters
    ----------
    samples : sequence of Sample
    picture : Picture
        How files become arrays.
    augmentation : Augmentation, optional
    batch_size : int
    shuffle : bool
        Whether each epoch has an order of its own.
    seed : int
        Of the order and of the augmentation.
    workers : int
        Threads that decode.
    prefetch : int
        Most pictures that wait decoded, besides the batch in the making.
    on_skip : callable, optional
        Called with each `Skipped` when it is its turn.

    Attributes
    ----------
    skipped : list of Skipped
        Of the last pass.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        picture: Picture,
        *,
        augmentation: Augmentation | None = None,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        workers: int = 2,
        prefetch: int = 64,
        on_skip: Callable[[Skipped], None] | None = None,
    ) -> None:
        self.samples = samples
        self.picture = picture
        self.augmentation = augmentation
        self.batch_size = whole_number(batch_size, "batch_size")
        self.shuffle = shuffle
        self.seed = seed
        self.workers = whole_number(workers, "workers")
        self.prefetch = whole_number(prefetch, "prefetch")
        self.skipped: list[Skipped] = []
        self._on_skip = on_skip

    def __iter__(self) -> Iterator[Batch]:
        return self.epoch(0)

    def epoch(self, number: int) -> Iterator[Batch]:
        """One pass over all samples; each number has its own augmentation and order."""
        self.skipped = []
        waiting: list[tuple[int, np.ndarray]] = []
        for position, image in self._images(number):
            waiting.append((position, image))
            if len(waiting) == self.batch_size:
                yield self._batch(waiting)
                waiting = []
        if waiting:
            yield self._batch(waiting)

    def _images(self, epoch: int) -> Iterator[tuple[int, np.ndarray]]:
        pending: deque[tuple[int, Future[np.ndarray]]] = deque()
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="decode")
        order = iter(self._order(epoch))
        try:
            while True:
                while len(pending) < self.prefetch and (position := next(order, None)) is not None:
                    pending.append((position, self._submit(pool, epoch, position)))
                if not pending:
                    return
                position, future = pending.popleft()
                try:
                    image = future.result()
                except ImageError as error:
                    self._skip(Skipped(self.samples[position], str(error)))
                    continue
                yield position, image
        finally:
            pool.shutdown(cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, epoch: int, position: int) -> Future[np.ndarray]:
        try:
            return pool.submit(self._load, epoch, position)
        except RuntimeError:  # the system gives no more threads
            done: Future[np.ndarray] = Future()
            try:
                done.set_result(self._load(epoch, position))
            except ImageError as error:
                done.set_exception(error)
            return done

    def _load(self, epoch: int, position: int) -> np.ndarray:
        image = self.picture.load(self.samples[position].path)
        if self.augmentation is None:
            return image
        # Random numbers for this content: neither threads nor other pictures change them.
        digest = bytes.fromhex(file_digest(self.samples[position].path))
        seeds = [self.seed, epoch, *np.frombuffer(digest, "<u4").tolist()]
        return self.augmentation(image, np.random.default_rng(seeds))

    def _order(self, epoch: int) -> list[int]:
        positions = np.arange(len(self.samples))
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(positions)
        return [int(position) for position in positions]

    def _skip(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        if self._on_skip is not None:
            self._on_skip(skipped)

    def _batch(self, waiting: list[tuple[int, np.ndarray]]) -> Batch:
        positions = np.array([position for position, _ in waiting], np.int64)
        classes = [self.samples[position].class_index for position in positions]
        return Batch(
            np.stack([image for _, image in waiting]), np.array(classes, np.int64), positions
        )
