"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """A new name beside ``path``; what is written there takes its place if the block ends well.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    target = Path(path)
    # The suffix stays, because some writers choose a format by it.
    temporary = target.with_name(f".{os.urandom(8).hex()}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
