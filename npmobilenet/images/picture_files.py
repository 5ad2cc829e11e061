"""Which files of a folder are taken for pictures; none is opened."""

from pathlib import Path

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
    | {".avif", ".jp2", ".mpo"}
)
"""Files that are taken for pictures; others, such as notes and thumbnails' databases, are not."""


def is_picture(path: Path, folder: Path) -> bool:
    """Whether a file in a folder is a picture by its name, and nothing on its way is hidden."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()
