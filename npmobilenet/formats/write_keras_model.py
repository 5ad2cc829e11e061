"""Writing a model whole, as Keras' ``model.save("x.h5")`` does, with the names of its classes."""

import json
from collections.abc import Mapping, Sequence
from os import PathLike

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.architecture.heads import class_count
from npmobilenet.formats.range_attribute import write_range
from npmobilenet.formats.write_keras_config import keras_config
from npmobilenet.formats.write_keras_h5 import (
    checked_tensors,
    write_layers,
    write_names,
    write_producer,
)
from npmobilenet.formats.writing_hdf5 import writing_hdf5

CLASS_NAMES = "class_names"
"""The attribute with the names of the classes. Keras leaves attributes alone that it has not."""


def write_keras_model(
    path: str | PathLike[str],
    network: Network,
    weights: Mapping[str, np.ndarray],
    class_names: Sequence[str] | None = None,
) -> None:
    """Write architecture and weights into one file that ``keras.models.load_model`` reads.

    The file appears under its name only once it is complete.

    Parameters
    ----------
    path : str or path
        Must end in ``.h5`` for Keras to know what it is; an existing file is replaced.
    network : Network
    weights : mapping of str to ndarray
        For exactly ``network.variables``; kept as float32.
    class_names : sequence of str, optional
        One for each class: two for a single unit.

    Raises
    ------
    ValueError
        If weights or names do not fit the network, or Keras has no such layer; nothing is written.
    OSError
        If the folder cannot be written to, or has no room.
    """
    tensors = checked_tensors(network, weights)
    config = json.dumps(keras_config(network))
    if class_names is not None and len(class_names) != class_count(network):
        raise ValueError(
            f"{len(class_names)} names for model {network.name!r}, "
            f"which has {class_count(network)} classes"
        )
    with writing_hdf5(path) as file:
        write_producer(file)
        file.attrs["model_config"] = config
        write_layers(file.create_group("model_weights"), network, tensors)
        write_range(file, network)
        if class_names is not None:
            write_names(file, CLASS_NAMES, list(class_names))
