"""From a folder of pictures to a trained classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.counts import whole_number
from npmobilenet.errors import ImageError
from npmobilenet.formats import write_keras_model
from npmobilenet.labels import Labels
from npmobilenet.model import Model
from npmobilenet.transfer.augmentation import Augmentation
from npmobilenet.transfer.classifier import classifier
from npmobilenet.transfer.embedding import Embeddings, FolderEmbedder, Progress
from npmobilenet.transfer.folder import ImageFolder, Sample, stratified_split
from npmobilenet.transfer.head import EpochReport, SoftmaxHead
from npmobilenet.transfer.metrics import ClassFigures, class_figures, confusion_matrix
from npmobilenet.transfer.stream import Skipped


@dataclass(frozen=True, kw_only=True)
class TrainedClassifier:
    """A network with a new head, and how good it is.

    Parameters
    ----------
    network : Network
        From pixels of 0 to 255 to class probabilities.
    weights : dict
        Its variables.
    class_names : tuple of str
    head : SoftmaxHead
        With its ``history_``.
    training_pictures, validation_pictures : int
        How many were used, augmented copies not counted.
    embedded : int
        How many pictures, copies counted, had to be run through the network; the others were
        cached.
    skipped : tuple of Skipped
        Pictures that could not be read.
    evaluated_on : str
        ``"validation"``, or ``"training"`` where nothing was held out.
    accuracy : float
        On these pictures, as are ``confusion`` and ``figures``.
    confusion : ndarray of shape (classes, classes)
        True class by row, predicted class by column.
    figures : list of ClassFigures
    """

    network: Network
    weights: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    head: SoftmaxHead
    training_pictures: int
    validation_pictures: int
    embedded: int
    skipped: tuple[Skipped, ...]
    evaluated_on: str
    accuracy: float
    confusion: np.ndarray
    figures: list[ClassFigures]

    def save(self, path: str | PathLike[str]) -> None:
        """Write one ``.h5`` file that Keras and :func:`npmobilenet.load_model` read."""
        write_keras_model(path, self.network, self.weights, self.class_names)

    def model(self, like: Model) -> Model:
        """A model that classifies, with backend and preparation of pictures as another's."""
        return Model(
            self.network,
            self.weights,
            backend=like.backend,
            labels=Labels(self.class_names),
            resize=like.resize,
            crop=like.crop,
            source=like.source,
        )


def train_classifier(
    model: Model,
    folder: ImageFolder,
    *,
    head: SoftmaxHead | None = None,
    validation: float = 0.2,
    augmentation: Augmentation | None = None,
    random_crop: bool = False,
    copies: int = 4,
    seed: int = 0,
    cache: str | PathLike[str] | bool = True,
    workers: int = 2,
    on_embed: Progress | None = None,
    on_skip: Callable[[Skipped], None] | None = None,
    on_epoch: EpochReport | None = None,
) -> TrainedClassifier:
    """Train a softmax head on the embeddings of a folder's pictures; the network stays as it is.

    Parameters
    ----------
    model : Model
        Gives the embeddings.
    folder : ImageFolder
    head : SoftmaxHead, optional
        What to train; by default one with the default arguments and ``seed``.
    validation : float
        Share of each class that is held out, for early stopping and the figures.
    augmentation : Augmentation, optional
        Of the pictures that are trained on; the originals are trained on as well.
    random_crop : bool
        Whether augmented pictures are cut at random out of larger ones.
    copies : int
        Augmented copies of each picture.
    seed : int
        Of split and augmentation.
    cache, workers
        As in :class:`npmobilenet.transfer.embedding.FolderEmbedder`.
    on_embed, on_skip, on_epoch : callable, optional
        For showing progress; see `pictures_to_embed`.

    Raises
    ------
    ImageError
        If there are fewer than two classes, or one has no picture to train on.
    ValueError
        If an argument makes no sense.
    """
    if len(folder.class_names) < 2:
        raise ImageError(f"found the one class {folder.class_names[0]!r}, expected two or more")
    copies = whole_number(copies, "copies", least=0)
    head = SoftmaxHead(seed=seed) if head is None else head
    classes = folder.class_indices
    training, held_out = stratified_split(classes, validation, seed)
    embedder = FolderEmbedder(model, cache=cache, workers=workers)

    plain = embedder.embed(folder.samples, on_progress=on_embed, on_skip=on_skip)
    watched = np.isin(plain.positions, held_out)
    truth = classes[plain.positions]
    _check_every_class(truth[~watched], folder.class_names)
    # What cannot be read has been reported; its copies would only say so again.
    usable = np.intersect1d(training, plain.positions)
    samples = [folder.samples[position] for position in usable]
    rounds = copies if augmentation is not None or random_crop else 0
    augmented = [
        embedder.embed(
            samples,
            augmentation=augmentation or Augmentation(),
            random_crop=random_crop,
            seed=seed,
            copy=copy,
            on_progress=on_embed,
        )
        for copy in range(1, rounds + 1)
    ]
    values, labels = _together(plain.values[~watched], truth[~watched], augmented, samples)
    validated = (plain.values[watched], truth[watched]) if watched.any() else None
    head.fit(values, labels, validation=validated, on_epoch=on_epoch)

    judged = watched if watched.any() else ~watched
    confusion = confusion_matrix(
        truth[judged], head.predict(plain.values[judged]), len(folder.class_names)
    )
    network, weights = classifier(embedder.network, model.weights, head.kernel_, head.bias_)
    return TrainedClassifier(
        network=network,
        weights=weights,
        class_names=folder.class_names,
        head=head,
        training_pictures=int((~watched).sum()),
        validation_pictures=int(watched.sum()),
        embedded=plain.computed + sum(part.computed for part in augmented),
        skipped=plain.skipped,
        evaluated_on="validation" if watched.any() else "training",
        accuracy=float(np.trace(confusion) / confusion.sum()),
        confusion=confusion,
        figures=class_figures(confusion, folder.class_names),
    )


def pictures_to_embed(folder: ImageFolder, validation: float, rounds: int, seed: int) -> int:
    """How many pictures `train_classifier` reports to ``on_embed`` if none is broken."""
    training, _ = stratified_split(folder.class_indices, validation, seed)
    return len(folder.samples) + rounds * len(training)


def _check_every_class(trained: np.ndarray, class_names: tuple[str, ...]) -> None:
    for index, count in enumerate(np.bincount(trained, minlength=len(class_names))):
        if count == 0:
            raise ImageError(f"class {class_names[index]!r} has no readable picture to train on")


def _together(
    values: np.ndarray, labels: np.ndarray, augmented: list[Embeddings], samples: list[Sample]
) -> tuple[np.ndarray, np.ndarray]:
    copied = [
        np.array([samples[position].class_index for position in part.positions], np.int64)
        for part in augmented
    ]
    return (
        np.concatenate([values, *(part.values for part in augmented)]),
        np.concatenate([labels, *copied]),
    )
