"""What a model file says beside its weights: names of classes, the range of images."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TypeVar

from npmobilenet.files import open_file
from npmobilenet.formats.failures import naming_file
from npmobilenet.formats.hdf5 import SIGNATURE, Hdf5File, open_hdf5
from npmobilenet.formats.range_attribute import read_range
from npmobilenet.formats.write_keras_model import CLASS_NAMES

T = TypeVar("T")


def read_class_names(path: str | PathLike[str]) -> tuple[str, ...] | None:
    """The names that :func:`npmobilenet.formats.write_keras_model` wrote.

    Returns
    -------
    tuple of str or None
        ``None`` if the file has none, or is of another format.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    """
    return _of_hdf5(path, lambda file: _tuple(file.texts(file.root, CLASS_NAMES)))


def read_input_range(path: str | PathLike[str]) -> tuple[float, float] | None:
    """What black and white become, where a file itself says it.

    Returns
    -------
    tuple of float or None
        ``None`` if the file does not say it, or is of another format.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    """
    return _of_hdf5(path, read_range)


def _of_hdf5(path: str | PathLike[str], read: Callable[[Hdf5File], T]) -> T | None:
    path = Path(path)
    with naming_file(path), open_file(path) as stream:
        if stream.read(len(SIGNATURE)) != SIGNATURE:
            return None
        with open_hdf5(stream) as file:
            return read(file)


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
