"""A folder of pictures with a folder for each class."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from npmobilenet.errors import ImageError
from npmobilenet.images.picture_files import is_picture


@dataclass(frozen=True)
class Sample:
    """A picture and what it shows.

    Parameters
    ----------
    path : Path
    class_index : int
    """

    path: Path
    class_index: int


@dataclass(frozen=True)
class ImageFolder:
    """The pictures of a folder and its classes.

    Parameters
    ----------
    samples : tuple of Sample
        Sorted by class, then by path.
    class_names : tuple of str
        Names of the folders, sorted as Keras' ``image_dataset_from_directory`` sorts them.
    """

    samples: tuple[Sample, ...]
    class_names: tuple[str, ...]

    @property
    def class_indices(self) -> np.ndarray:
        """The class of each sample, int64."""
        return np.array([sample.class_index for sample in self.samples], np.int64)


def scan_folder(path: str | PathLike[str]) -> ImageFolder:
    """Find the classes and pictures of a folder; no picture is opened.

    Each folder directly in ``path`` is a class, and pictures anywhere below it belong to that
    class. Hidden files and folders are left out.

    Raises
    ------
    ImageError
        If there is no such folder, or no class folder in it, or a class has no picture.
    """
    root = Path(path)
    if not root.is_dir():
        raise ImageError(f"{root}: no such folder")
    folders = sorted(
        child for child in root.iterdir() if child.is_dir() and not child.name.startswith(".")
    )
    if not folders:
        raise ImageError(f"{root}: expected a folder for each class, found no folders")
    samples: list[Sample] = []
    for class_index, folder in enumerate(folders):
        pictures = sorted(found for found in folder.rglob("*") if is_picture(found, folder))
        if not pictures:
            raise ImageError(f"{folder}: no pictures of this class")
        samples += [Sample(picture, class_index) for picture in pictures]
    return ImageFolder(tuple(samples), tuple(folder.name for folder in folders))


def stratified_split(
    class_indices: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions for training and validation, with the same share of every class in each.

    A class with at least two samples has at least one on each side; a single sample is trained on.

    Parameters
    ----------
    class_indices : ndarray of shape (samples,), int
    fraction : float
        For validation, from 0 to below 1.
    seed : int

    Returns
    -------
    training, validation : ndarray of int
        Sorted.

    Raises
    ------
    ValueError
        If the fraction is out of range.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"the fraction for validation must be from 0 to below 1, found {fraction}")
    rng = np.random.default_rng(seed)
    held_out = []
    for class_index in np.unique(class_indices):
        members = rng.permutation(np.flatnonzero(class_indices == class_index))
        count = round(fraction * len(members))
        if fraction > 0:
            count = min(max(count, 1), len(members) - 1)
        held_out.append(members[:count])
    validation = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(len(class_indices)), validation), validation
