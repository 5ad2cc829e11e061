"""Whether a file holds the tensors of a catalogue entry, in whatever container."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npmobilenet.errors import WeightsMismatchError
from npmobilenet.formats import drop_background_class, read_weights, tensors_digest
from npmobilenet.pretrained.catalogue import Entry


@dataclass(frozen=True)
class Tensors:
    """The tensors of an entry, read from a file.

    Parameters
    ----------
    weights : dict of str to ndarray
        float32, by canonical name.
    verified : bool
        Whether their digest is known, and right; otherwise only names and shapes are.
    as_is : bool
        Whether the file has just these; otherwise a background class was dropped.
    """

    weights: dict[str, np.ndarray]
    verified: bool
    as_is: bool


def read_verified(path: Path, entry: Entry) -> Tensors:
    """Read the tensors of an entry and compare their digest with the catalogue.

    A file with the top serves an entry without: the classifier is left out. Where only the
    digest with the top is known, it vouches for the rest.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    WeightsMismatchError
        If names or shapes do not fit the entry's network, or the digest is another.
    """
    weights, as_is = _read(path, entry)
    if entry.digest is None:
        return Tensors(weights, verified=_top_is_right(path, entry.with_top), as_is=as_is)
    found = tensors_digest(weights)
    if found != entry.digest:
        raise WeightsMismatchError(
            f"{path}: found tensors with digest {found}, expected {entry.digest}: other weights "
            "of the same shapes, or damaged"
        )
    return Tensors(weights, verified=True, as_is=as_is)


def can_be_verified(entry: Entry) -> bool:
    """Whether a digest is known that tells the right tensors from others of the same shapes."""
    return entry.digest is not None or entry.with_top.digest is not None


def _read(path: Path, entry: Entry) -> tuple[dict[str, np.ndarray], bool]:
    try:
        return read_weights(path, entry.network()), True
    except WeightsMismatchError:
        if entry.include_top:
            with suppress(WeightsMismatchError):
                wide = read_weights(path, entry.network(classes=1001))
                return drop_background_class(wide), False
        raise


def _top_is_right(path: Path, top: Entry) -> bool:
    if top.digest is None:
        return False
    try:
        weights, _ = _read(path, top)
    except WeightsMismatchError:
        return False
    return tensors_digest(weights) == top.digest
