"""Model files: Keras HDF5 and zip, and TensorFlow frozen graphs, to canonical float32 arrays.

Tensors are named ``"layer/variable"`` with Keras' names. Files are data: whatever they hold,
nothing of it is run, and a damaged or hostile file gives a
:class:`npmobilenet.errors.ModelFileError`.
"""

from npmobilenet.formats.class_names import read_class_names, read_input_range
from npmobilenet.formats.contents import RawTensor
from npmobilenet.formats.digest import tensors_digest
from npmobilenet.formats.listing import list_tensors
from npmobilenet.formats.model_file import ModelFile
from npmobilenet.formats.read_model import read_model_file
from npmobilenet.formats.read_weights import read_weights
from npmobilenet.formats.slim import drop_background_class
from npmobilenet.formats.write_keras_h5 import write_keras_h5
from npmobilenet.formats.write_keras_model import write_keras_model

__all__ = [
    "ModelFile",
    "RawTensor",
    "drop_background_class",
    "list_tensors",
    "read_class_names",
    "read_input_range",
    "read_model_file",
    "read_weights",
    "tensors_digest",
    "write_keras_h5",
    "write_keras_model",
]
