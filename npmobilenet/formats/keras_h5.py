"""Keras' older HDF5 layout: weights of keras.applications, ``model.save("x.h5")`` of Keras 2 and 3.

A group for each layer, in whose attribute ``weight_names`` the tensors are listed; the order of
layers is in ``layer_names``. The group of a nested model lists the tensors of all its layers.
"""

from typing import TYPE_CHECKING

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents, RawLayer, RawTensor
from npmobilenet.formats.hdf5 import Hdf5File
from npmobilenet.formats.json_text import parse_object
from npmobilenet.formats.messages import shown
from npmobilenet.formats.range_attribute import read_range

if TYPE_CHECKING:
    import h5py


def is_keras_h5(file: Hdf5File) -> bool:
    """Whether this layout is used."""
    return _weights_group(file) is not None


def keras_h5_contents(file: Hdf5File) -> Contents:
    """Layers and, if the model was saved whole, its configuration."""
    group = _weights_group(file)
    if group is None:
        raise ModelFileError("attribute 'layer_names' is missing")
    whole = group is not file.root
    config = file.text(file.root, "model_config") if whole else None
    if whole and config is None:
        raise ModelFileError("attribute 'model_config' is missing from a model saved whole")
    layers: list[RawLayer] = []
    for name in file.texts(group, "layer_names") or []:
        layers += _layers(file, group, name)
    return Contents(
        format="keras-h5-model" if whole else "keras-h5-weights",
        size=file.size,
        layers=tuple(layers),
        ordered=True,
        producer=_producer(file, group),
        config=None if config is None else parse_object(config, "attribute 'model_config'"),
        input_range=read_range(file),
    )


def _weights_group(file: Hdf5File) -> "h5py.Group | None":
    """The group that lists the layers: the root, or ``model_weights`` in a model saved whole."""
    for group in (file.group(file.root, "model_weights"), file.root):
        if group is not None and ("layer_names" in group.attrs or "layer_names0" in group.attrs):
            return group
    return None


def _layers(file: Hdf5File, parent: "h5py.Group", name: str) -> list[RawLayer]:
    """The layer of this name, or the layers of the nested model of this name."""
    group = file.group(parent, name)
    if group is None:
        raise ModelFileError(f"layer {shown(name)} is listed, but has no group")
    owners: dict[tuple[str, ...], dict[str, RawTensor]] = {}
    for address in file.texts(group, "weight_names") or []:
        dataset = file.dataset(group, address)
        if dataset is None:
            raise ModelFileError(
                f"tensor {shown(address)} of layer {shown(name)} is listed, but not there"
            )
        *scopes, variable = address.split("/")
        # "conv1/kernel:0"; in Keras 2, Normalization has no owner: "mean:0".
        owners.setdefault(tuple(scopes), {})[variable.partition(":")[0]] = file.tensor(dataset)
    owners = _merged(owners)
    if len(owners) == 1:
        (tensors,) = owners.values()
        return [RawLayer((name,), (), tensors)]
    return [RawLayer((name, *owner), (), tensors) for owner, tensors in owners.items()]


def _merged(
    owners: dict[tuple[str, ...], dict[str, RawTensor]],
) -> dict[tuple[str, ...], dict[str, RawTensor]]:
    """Owners by their own name, where no two models in the nested model have it.

    The scopes before it depend on how a model was made. Only to tell such layers apart they stay.
    """
    alike: dict[str, list[tuple[str, ...]]] = {}
    for scopes in owners:
        alike.setdefault(scopes[-1] if scopes else "", []).append(scopes)
    merged: dict[tuple[str, ...], dict[str, RawTensor]] = {}
    for own, places in alike.items():
        variables = [variable for scopes in places for variable in owners[scopes]]
        if len(set(variables)) == len(variables):
            merged[(own,)] = {
                key: item for scopes in places for key, item in owners[scopes].items()
            }
        else:
            merged |= {scopes: owners[scopes] for scopes in places}
    return merged


def _producer(file: Hdf5File, group: "h5py.Group") -> str | None:
    version = file.text(group, "keras_version") or file.text(file.root, "keras_version")
    backend = file.text(group, "backend") or file.text(file.root, "backend")
    found = [f"keras {version}" if version else None, backend]
    return " / ".join(part for part in found if part) or None
