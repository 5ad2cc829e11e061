"""Files that appear whole or not at all, and no leftovers of processes that were killed.

Whatever is not finished lies in a scratch folder that its process holds a lock on (``flock``). The
lock goes with the process, however it ends, so that whoever comes next can tell what nobody works
on any more, and removes it. Where a file system or Windows has no such locks, leftovers stay.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

fcntl: Any = import_module("fcntl") if os.name == "posix" else None

_SCRATCH = re.compile(r"\.npmobilenet-[0-9a-f]{16}")
_cleared: set[Path] = set()  # folders without leftovers from before this process


@contextmanager
def replacing(
    path: str | PathLike[str], scratch: str | PathLike[str] | None = None
) -> Iterator[Path]:
    """A new path of the same name; what is written there takes the place of ``path`` in the end.

    Only if the block ends well; else, ``path`` stays as it was.

    Parameters
    ----------
    path : path
    scratch : path, optional
        Where the scratch folder is made, on the same file system; by default beside ``path``.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    target = Path(path)
    with scratch_folder(target.parent if scratch is None else scratch) as folder:
        temporary = folder / target.name
        yield temporary
        temporary.replace(target)


@contextmanager
def scratch_folder(parent: str | PathLike[str]) -> Iterator[Path]:
    """A hidden folder inside ``parent`` for what is not finished; gone in the end.

    A process's first scratch folder in ``parent`` clears it of what processes have left that were
    killed.

    Raises
    ------
    OSError
        If ``parent`` cannot be written.
    """
    parent = Path(parent)
    remove_leftovers(parent)
    folder, lock = _claimed(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def remove_leftovers(parent: str | PathLike[str]) -> None:
    """Remove the scratch folders in ``parent`` of this user whose processes are no more.

    Once in a process: later calls do nothing.
    """
    parent = Path(parent).absolute()
    if fcntl is None or parent in _cleared:
        return
    with suppress(OSError):  # no such folder, or not ours to read
        for folder in parent.iterdir():
            with suppress(OSError):
                if _SCRATCH.fullmatch(folder.name) and folder.lstat().st_uid == os.geteuid():
                    lock = _lock(folder)
                    try:
                        shutil.rmtree(folder, ignore_errors=True)
                    finally:
                        os.close(lock)
        _cleared.add(parent)


def _claimed(parent: Path) -> tuple[Path, int | None]:
    """A new folder and the lock on it, or no lock where there are none."""
    while True:
        folder = parent / f".npmobilenet-{os.urandom(8).hex()}"
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(parent)) from None
        if fcntl is None:
            return folder, None
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):
            continue  # another process took it for a leftover before we had the lock
        except OSError:
            return folder, None
        if folder.is_dir():
            return folder, lock
        os.close(lock)


def _lock(folder: Path) -> int:
    """A descriptor that holds the lock; an OSError if somebody else does, or there are none."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
