"""Writing weights as the HDF5 of keras.applications."""

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from npmobilenet.architecture import Network
from npmobilenet.formats.range_attribute import write_range
from npmobilenet.formats.writing_hdf5 import writing_hdf5

if TYPE_CHECKING:
    import h5py

_KERAS_VERSION = "3.0.0"  # the layout has been the same since Keras 2
_ATTRIBUTE_LIMIT = 64_000  # HDF5 keeps an attribute of at most 64 KiB


def write_keras_h5(
    path: str | PathLike[str], network: Network, weights: Mapping[str, np.ndarray]
) -> None:
    """Write weights that ``load_weights`` of Keras 2 and 3 reads into the same network.

    The file appears under its name only once it is complete.

    Parameters
    ----------
    path : str or path
        Should end in ``.h5`` for Keras to know what it is; an existing file is replaced.
    network : Network
    weights : mapping of str to ndarray
        For exactly ``network.variables``; kept as float32.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown or of another shape; nothing is written.
    OSError
        If the folder cannot be written to, or has no room.
    """
    tensors = checked_tensors(network, weights)
    with writing_hdf5(path) as file:
        write_layers(file, network, tensors)
        write_range(file, network)


def checked_tensors(network: Network, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The variables of a network as float32, in running order.

    Raises
    ------
    ValueError
        If a tensor is missing, unknown or of another shape.
    """
    unknown = sorted(weights.keys() - network.variables.keys())
    missing = sorted(network.variables.keys() - weights.keys())
    if unknown or missing:
        raise ValueError(
            f"weights for {network.name!r}: missing {missing[:3]}, unknown {unknown[:3]}"
        )
    tensors = {name: np.asarray(weights[name], np.float32) for name in network.variables}
    for name, shape in network.variables.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}, expected {shape}")
    return tensors


def write_layers(group: "h5py.Group", network: Network, tensors: Mapping[str, np.ndarray]) -> None:
    """A group for each layer, and the attributes that list them."""
    write_producer(group)
    write_names(group, "layer_names", [node.name for node in network])
    for node in network:
        layer = group.create_group(node.name)
        names = [f"{node.name}/{variable}" for variable in network.layer_variables(node.name)]
        write_names(layer, "weight_names", names)
        for name in names:
            layer.create_dataset(name, data=tensors[name])
    write_names(group.create_group("top_level_model_weights"), "weight_names", [])


def write_producer(group: "h5py.Group") -> None:
    """Which Keras could have written this."""
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = _KERAS_VERSION.encode()


def write_names(group: "h5py.Group", attribute: str, names: list[str]) -> None:
    """A list of names as an attribute, in numbered parts if it is too long for one."""
    array = np.array([name.encode() for name in names], dtype="S" if names else float)
    parts = -(-array.nbytes // _ATTRIBUTE_LIMIT) or 1
    for number, part in enumerate(np.array_split(array, parts)):
        group.attrs[attribute if parts == 1 else f"{attribute}{number}"] = part
