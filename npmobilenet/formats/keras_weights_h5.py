r"""Keras 3's ``.weights.h5``: tensors numbered under ``layers/<class>_<counter>/vars``.

Layer names are only there as an attribute that newer versions write; the counters follow the order
of the model's layers of one class. A nested model has its own ``layers`` group and counters.

On Windows, Keras 2.12 to 2.15 writes no tree but names such as ``layers\conv2d_1``.
"""

from typing import TYPE_CHECKING

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents, RawLayer
from npmobilenet.formats.hdf5 import Hdf5File
from npmobilenet.formats.limits import MAX_DEPTH
from npmobilenet.formats.messages import shown

if TYPE_CHECKING:
    import h5py

# The second name is that of Keras 2.12 and 2.13.
_LAYERS = ("layers", "_layer_checkpoint_dependencies")


def is_keras_weights_h5(file: Hdf5File) -> bool:
    """Whether this layout is used."""
    return any(file.group(file.root, name) is not None for name in _LAYERS) or any(
        _keys(name) for name in file.names(file.root)
    )


def keras_weights_h5_contents(file: Hdf5File) -> Contents:
    """Every layer that has tensors. The optimizer and other state are left aside."""
    layers: list[RawLayer] = []
    _collect(file, file.root, (), (), layers)
    for name in file.names(file.root):
        keys = _keys(name)
        layer = file.group(file.root, name) if keys else None
        variables = None if layer is None else file.group(layer, "vars")
        if variables is not None:
            layers += _layer(file, variables, keys, (None,) * len(keys))
    return Contents(format="keras-weights-h5", size=file.size, layers=tuple(layers), ordered=False)


def _keys(name: str) -> tuple[str, ...]:
    r"""The keys in ``layers\functional\layers\conv2d``; none if it is not such a name."""
    parts = name.split("\\")
    containers, keys = parts[::2], parts[1::2]
    known = len(containers) == len(keys) and all(part in _LAYERS for part in containers)
    return tuple(keys) if known else ()


def _collect(
    file: Hdf5File,
    model: "h5py.Group",
    keys: tuple[str, ...],
    names: tuple[str | None, ...],
    layers: list[RawLayer],
) -> None:
    if len(keys) > MAX_DEPTH:
        raise ModelFileError(f"models nested more than {MAX_DEPTH} deep at {shown(model.name)}")
    for container in filter(None, (file.group(model, name) for name in _LAYERS)):
        for key in file.names(container):
            layer = file.group(container, key)
            if layer is None:
                continue
            variables = file.group(layer, "vars")
            name = None if variables is None else file.text(variables, "name")
            path = (*names, name)
            if variables is not None:
                layers += _layer(file, variables, (*keys, key), path)
            for part in file.names(layer):
                # What belongs to a layer and has variables of its own, such as a quantiser.
                inside = None if part in ("vars", *_LAYERS) else file.group(layer, part)
                held = None if inside is None else file.group(inside, "vars")
                if held is not None:
                    layers += _layer(file, held, (*keys, key, part), (*path, None))
            _collect(file, layer, (*keys, key), path, layers)


def _layer(
    file: Hdf5File, variables: "h5py.Group", keys: tuple[str, ...], path: tuple[str | None, ...]
) -> list[RawLayer]:
    tensors = {}
    for number in file.names(variables):
        dataset = file.dataset(variables, number)
        if dataset is None:
            raise ModelFileError(f"{shown(variables.name)}/{shown(number)} is not a dataset")
        tensors[number] = file.tensor(dataset)
    named = tuple(name for name in path if name is not None)
    return [RawLayer(named if len(named) == len(path) else (), keys, tensors)] if tensors else []
