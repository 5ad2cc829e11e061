"""Finding out what a file is, by its content."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from npmobilenet.errors import ModelFileError
from npmobilenet.files import open_file
from npmobilenet.formats.contents import Contents
from npmobilenet.formats.failures import naming_file
from npmobilenet.formats.graphdef import looks_like_graphdef
from npmobilenet.formats.hdf5 import SIGNATURE as HDF5
from npmobilenet.formats.hdf5 import Hdf5File, open_hdf5
from npmobilenet.formats.keras_h5 import is_keras_h5, keras_h5_contents
from npmobilenet.formats.keras_weights_h5 import is_keras_weights_h5, keras_weights_h5_contents
from npmobilenet.formats.keras_zip import SIGNATURE as ZIP
from npmobilenet.formats.keras_zip import open_keras_zip
from npmobilenet.formats.limits import MAX_GRAPH_BYTES
from npmobilenet.formats.slim import slim_contents

_READ = "Keras .h5, .weights.h5 and .keras, and TensorFlow frozen graphs"


@contextmanager
def open_model_file(path: Path) -> Iterator[Contents]:
    """The contents of a file, valid inside the ``with`` block.

    Raises
    ------
    ModelFileError
        For whatever goes wrong, inside the block too; the message begins with the path.
    """
    with naming_file(path), open_file(path) as stream:
        header = stream.read(16)
        stream.seek(0)
        if header.startswith(HDF5):
            with open_hdf5(stream) as file:
                yield _hdf5_contents(file)
        elif header.startswith(ZIP):
            with open_keras_zip(stream) as contents:
                yield contents
        elif looks_like_graphdef(header):
            yield slim_contents(_graph_bytes(stream))
        elif not header:
            raise ModelFileError("the file is empty")
        else:
            raise ModelFileError(f"unknown format: begins with {header!r}; there are read {_READ}")


def _hdf5_contents(file: Hdf5File) -> Contents:
    if is_keras_h5(file):
        return keras_h5_contents(file)
    if is_keras_weights_h5(file):
        return keras_weights_h5_contents(file)
    raise ModelFileError(
        "an HDF5 file without Keras' layers: neither attribute 'layer_names' nor group 'layers'"
    )


def _graph_bytes(stream: BinaryIO) -> bytes:
    size = stream.seek(0, io.SEEK_END)
    if size > MAX_GRAPH_BYTES:
        raise ModelFileError(f"frozen graph of {size} bytes; at most {MAX_GRAPH_BYTES} are read")
    stream.seek(0)
    return stream.read()
