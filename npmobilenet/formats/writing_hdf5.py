"""HDF5 files that are made in memory and written at once.

HDF5 (1.14 and before) crashes the process when the disk is full while it closes a file.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

from npmobilenet.atomic import replacing

if TYPE_CHECKING:
    import h5py


@contextmanager
def writing_hdf5(path: str | PathLike[str]) -> Iterator["h5py.File"]:
    """An HDF5 file that takes the place of ``path`` if the block ends well.

    Raises
    ------
    OSError
        If the folder cannot be written to, or has no room; what was at ``path`` is still there.
    """
    import h5py

    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        yield file
    with replacing(path) as temporary:
        temporary.write_bytes(image.getbuffer())
