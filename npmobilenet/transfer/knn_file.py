"""The file of a KNN classifier: an uncompressed ``.npz`` without pickled objects."""

import json
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from npmobilenet.atomic import replacing
from npmobilenet.errors import ModelFileError

FORMAT = "npmobilenet.KNNClassifier/1"
_LONGEST_HEADER = 10_000
_MOST_CLASSES = 1 << 20

Label = str | int


@dataclass(frozen=True)
class KNNState:
    """All that a classifier knows.

    Parameters
    ----------
    labels : tuple of str or int
        By class id, those of removed classes included.
    present : tuple of bool
        Which classes there are; one may be there without examples.
    class_ids : ndarray of shape (examples,), int32
    units : ndarray of shape (examples, size), float32
        Of length 1 or 0.
    """

    labels: tuple[Label, ...]
    present: tuple[bool, ...]
    class_ids: np.ndarray
    units: np.ndarray


def write_state(path: str | PathLike[str], state: KNNState) -> None:
    """Write a file, whole or not at all."""
    about = {"format": FORMAT, "labels": state.labels, "present": state.present}
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            about=np.frombuffer(json.dumps(about).encode(), np.uint8),
            class_ids=state.class_ids.astype("<i4"),
            units=state.units.astype("<f4"),
        )


def read_state(path: str | PathLike[str]) -> KNNState:
    """Read a file and check every field.

    Raises
    ------
    ModelFileError
        With the name of the file, and of the field that is wrong.
    """
    with _naming(fspath(path)), zipfile.ZipFile(Path(path)) as archive:
        labels, present = _about(_array(archive, "about", "|u1", 1).tobytes())
        class_ids = _array(archive, "class_ids", "<i4", 1).astype(np.int32)
        units = _array(archive, "units", "<f4", 2).astype(np.float32)
    name = fspath(path)
    if len(class_ids) != len(units):
        raise ModelFileError(f"{name}: class_ids has {len(class_ids)} values, units {len(units)}")
    if len(class_ids) and (class_ids.min() < 0 or class_ids.max() >= len(labels)):
        raise ModelFileError(
            f"{name}: class_ids reach from {class_ids.min()} to {class_ids.max()}, "
            f"expected 0 to {len(labels) - 1}"
        )
    if not np.array(present, bool)[class_ids].all():
        raise ModelFileError(f"{name}: class_ids has examples of a class that is not present")
    lengths = np.sqrt(np.einsum("ij,ij->i", units, units, dtype=np.float64))
    if not (np.isclose(lengths, 1, atol=1e-3) | (lengths == 0)).all():
        raise ModelFileError(f"{name}: units holds vectors whose length is neither 1 nor 0")
    return KNNState(labels, present, class_ids, units)


def _about(text: bytes) -> tuple[tuple[Label, ...], tuple[bool, ...]]:
    about = json.loads(text)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ModelFileError(f"about: expected format {FORMAT!r}")
    labels, present = about.get("labels"), about.get("present")
    if not isinstance(labels, list) or any(type(label) not in (str, int) for label in labels):
        raise ModelFileError("about: labels is not a list of strings and integers")
    if len(set(labels)) != len(labels) or len(labels) > _MOST_CLASSES:
        raise ModelFileError("about: labels has the same label twice, or too many")
    if (
        not isinstance(present, list)
        or len(present) != len(labels)
        or any(type(value) is not bool for value in present)
    ):
        raise ModelFileError("about: present is not a list of one true or false for each label")
    return tuple(labels), tuple(present)


def _array(archive: zipfile.ZipFile, field: str, dtype: str, axes: int) -> np.ndarray:
    """A member, once what it claims has been compared with the bytes that are there."""
    try:
        info = archive.getinfo(f"{field}.npy")
    except KeyError:
        raise ModelFileError(f"field {field} is missing") from None
    if info.compress_type != zipfile.ZIP_STORED:
        raise ModelFileError(f"{field} is compressed, which is not how this file is written")
    with archive.open(info) as stream:
        version: Any = npy.read_magic(stream)
        if version != (1, 0):
            raise ModelFileError(f"{field}: found .npy version {version}, expected (1, 0)")
        shape, fortran, found = npy.read_array_header_1_0(stream, _LONGEST_HEADER)
        if found != np.dtype(dtype) or len(shape) != axes or min(shape) < 0 or fortran:
            raise ModelFileError(
                f"{field}: found {found} of shape {shape}, expected {dtype} with {axes} axes"
            )
        data = stream.read()
        claimed = int(np.prod(shape, dtype=object)) * found.itemsize
        if len(data) != claimed:
            raise ModelFileError(f"{field}: shape {shape} needs {claimed} bytes, found {len(data)}")
    return np.frombuffer(data, dtype).reshape(shape)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{name}: {error}") from None
    except FileNotFoundError:
        raise ModelFileError(f"{name}: no such file") from None
    # What zipfile, json and NumPy's header parser raise on damaged files.
    except (
        zipfile.BadZipFile,
        ValueError,
        EOFError,
        OSError,
        RuntimeError,
        OverflowError,
        MemoryError,
        SyntaxError,
        TypeError,
        KeyError,
        struct.error,
    ) as error:
        raise ModelFileError(
            f"{name}: damaged, or not a file of a KNNClassifier ({error})"
        ) from error
