"""Opening what a user names: regular files only, and no stand-ins for files.

A named pipe waits for ever, a device may too or never end. Every place that opens a path of a
user's to read it does so here.
"""

import errno
import io
import os
import stat
from os import PathLike, fspath

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_POINTER = b"version https://git-lfs.github.com/spec/"


class NotAFileError(OSError):
    """What a path names is there, but is not a file that can be read; ``strerror`` says what."""


def open_file(path: str | PathLike[str]) -> io.BufferedReader:
    """A file, opened to read its bytes.

    Raises
    ------
    NotAFileError
        If it is a pipe, socket or device, or Git LFS's pointer to a file.
    IsADirectoryError, FileNotFoundError, PermissionError
        As the system says.
    """
    name = fspath(path)
    # Without waiting for who writes to a pipe, and without making a terminal ours.
    waiting = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    binary = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(name, os.O_RDONLY | waiting | binary)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a device that nothing is behind
            raise NotAFileError(errno.EINVAL, "found a socket, expected a file", name) from None
        raise
    stream: io.BufferedReader | None = None
    try:
        _check_kind(os.fstat(descriptor).st_mode, name)
        stream = os.fdopen(descriptor, "rb")
        check_pointer(stream.read(len(_POINTER)), name)
        stream.seek(0)
    except BaseException:
        if stream is None:
            os.close(descriptor)
        else:
            stream.close()
        raise
    return stream


def read_file(path: str | PathLike[str], longest: int | None = None) -> bytes:
    """The bytes of a file; no more than ``longest``, if that is given.

    Raises
    ------
    NotAFileError, OSError
        As :func:`open_file`.
    """
    with open_file(path) as stream:
        return stream.read(-1 if longest is None else longest)


def check_pointer(beginning: bytes, name: str) -> None:
    """Refuse bytes that begin as a Git LFS pointer: text that stands where a file was not fetched.

    Raises
    ------
    NotAFileError
    """
    if beginning.startswith(_POINTER):
        raise NotAFileError(
            errno.EINVAL,
            "found a Git LFS pointer, expected the file itself, which `git lfs pull` fetches",
            name,
        )


def _check_kind(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if not stat.S_ISREG(mode):
        kind = next((what for test, what in _KINDS if test(mode)), "something")
        raise NotAFileError(errno.EINVAL, f"found {kind}, expected a file", name)
