"""Files that are believed: what they hold is unpickled and executed.

A seal, a digest before the data, tells damage: flipped bits, pages of zeros that a power cut
leaves, another file in its place. It is no help against malice, for whoever may write the data may
write a digest that fits. Against that counts who owns the file and its folder, and who may write
to them: this user and root only. Windows has neither owners nor modes of that kind; there, the
user's own folder is what protects it.
"""

import hashlib
import os
import stat
from pathlib import Path

from npmobilenet.atomic import replacing

_MAGIC = b"npmobilenet kernel 1\n"
_LONGEST = 64 << 20  # bytes; the largest entry has a quarter of a million
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_POSIX = os.name == "posix"


class DoubtfulError(Exception):
    """A file or folder is there that cannot be believed; the message says which and why."""


def write_sealed(path: Path, key: bytes, data: bytes) -> None:
    """Put ``data`` into a file that only :func:`read_sealed` with the same ``key`` takes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with replacing(path) as new:
        # Of a mode that does not depend on the umask, which lets a group write on many systems.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(new, flags, 0o644), "wb") as file:
            file.write(_MAGIC + _digest(key, data))
            file.write(data)


def read_sealed(path: Path, key: bytes) -> bytes | None:
    """What :func:`write_sealed` has put into a file; ``None`` if there is no such file.

    Everything is judged and read through one descriptor, so that nothing can be exchanged between
    the look at it and its use. A named pipe is not waited for.

    Raises
    ------
    DoubtfulError
        If the file or its folder is not this user's or root's, others may write to it, it is no
        regular file, or does not hold what was written with ``key``.
    """
    try:
        content = _content(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_symlink():  # which O_NOFOLLOW refuses with a different number on each system
            raise DoubtfulError(f"{path} is a symbolic link, expected a file") from None
        raise DoubtfulError(f"{path} cannot be read: {error.strerror or error}") from None
    start = len(_MAGIC) + hashlib.sha256().digest_size
    data = content[start:]
    if content[:start] != _MAGIC + _digest(key, data):
        raise DoubtfulError(f"{path} is damaged: its digest is not that of what it holds")
    return data


def check_folder(folder: Path) -> None:
    """Make sure that files in a folder may be believed at all.

    Raises
    ------
    DoubtfulError
        As :func:`read_sealed` of the folder.
    OSError
        If nobody can tell.
    """
    _check(os.lstat(folder), folder, folder=True)


def _content(path: Path) -> bytes:
    if not _POSIX:
        return _read(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), path)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except NotADirectoryError:  # also of a symbolic link to one
        raise DoubtfulError(f"{path.parent} is not a folder") from None
    try:
        _check(os.fstat(folder), path.parent, folder=True)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return _read(os.open(path.name, flags, dir_fd=folder), path)
    finally:
        os.close(folder)


def _read(descriptor: int, path: Path) -> bytes:
    try:
        found = os.fstat(descriptor)
        _check(found, path, folder=False)
        if found.st_size > _LONGEST:
            raise DoubtfulError(
                f"{path} has {found.st_size:,} bytes, expected at most {_LONGEST:,}"
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(found.st_size + 1)
    finally:
        os.close(descriptor)


def _check(found: os.stat_result, path: Path, *, folder: bool) -> None:
    kind, right = ("folder", stat.S_ISDIR) if folder else ("file", stat.S_ISREG)
    if not right(found.st_mode):
        raise DoubtfulError(f"{path} is not a {kind}")
    if not _POSIX:
        return
    if found.st_uid not in (0, os.geteuid()):
        raise DoubtfulError(
            f"{path} belongs to user {found.st_uid}, expected user {os.geteuid()} or root"
        )
    if found.st_mode & _OTHERS:
        raise DoubtfulError(
            f"others may write to {path} (mode {stat.S_IMODE(found.st_mode):o}), which "
            "`chmod go-w` ends"
        )


def _digest(key: bytes, data: bytes) -> bytes:
    digest = hashlib.sha256(len(key).to_bytes(8, "little") + key)
    digest.update(data)
    return digest.digest()
