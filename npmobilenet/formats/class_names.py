"""The names of the classes that a model file brings along."""

from os import PathLike
from pathlib import Path

from npmobilenet.files import open_file
from npmobilenet.formats.failures import naming_file
from npmobilenet.formats.hdf5 import SIGNATURE, open_hdf5
from npmobilenet.formats.write_keras_model import CLASS_NAMES


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
    path = Path(path)
    with naming_file(path), open_file(path) as stream:
        if stream.read(len(SIGNATURE)) != SIGNATURE:
            return None
        with open_hdf5(stream) as file:
            names = file.texts(file.root, CLASS_NAMES)
    return None if names is None else tuple(names)
