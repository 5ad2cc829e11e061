"""The one place where whatever goes wrong in a damaged file becomes a ModelFileError."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from npmobilenet.errors import ModelFileError, NpMobileNetError
from npmobilenet.files import NotAFileError
from npmobilenet.formats.messages import cut

# What h5py, zipfile, zlib, json and protobuf are known to raise on damaged input. RuntimeError
# includes RecursionError and NotImplementedError; ValueError includes the errors of text decoding
# and of JSON.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Turn failures into ``ModelFileError`` and put the file's name before every message."""
    try:
        yield
    except NpMobileNetError as error:
        raise type(error)(f"{path}: {cut(str(error))}") from error.__cause__
    except NotAFileError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from None
    except FileNotFoundError:
        raise ModelFileError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ModelFileError(f"{path}: a folder, not a model file") from None
    except PermissionError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error
    except _DAMAGE as error:
        detail = cut(str(error)) or type(error).__name__
        raise ModelFileError(f"{path}: damaged or not a model file ({detail})") from error
