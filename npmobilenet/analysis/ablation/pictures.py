"""The pictures of a folder, and what their names say of their classes."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from npmobilenet.errors import ImageError
from npmobilenet.labels import Labels

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".avif"}
)


def find_pictures(folder: str | PathLike[str], limit: int | None = None) -> list[Path]:
    """Pictures anywhere in a folder, sorted; at most ``limit``, evenly spread over all.

    Raises
    ------
    ImageError
        If there is no such folder, or no picture in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ImageError(f"{root}: no such folder")
    found = sorted(
        path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not found:
        raise ImageError(f"{root}: no pictures")
    if limit is None or limit >= len(found):
        return found
    return [found[index * len(found) // limit] for index in range(limit)]


def classes_of(pictures: Sequence[Path], labels: Labels) -> list[int] | None:
    """The class of each picture by its name, or ``None`` if any says none.

    A file may begin with a WordNet id, ``n01440764_tench.jpg``, or lie in a folder that is called
    like a class or its id.
    """
    index = {name: number for number, name in reversed(list(enumerate(labels.names)))}
    index |= {wnid: number for number, wnid in enumerate(labels.wnids or ()) if wnid}
    found = [
        index.get(picture.stem.partition("_")[0], index.get(picture.parent.name))
        for picture in pictures
    ]
    known = [number for number in found if number is not None]
    return known if len(known) == len(found) else None
