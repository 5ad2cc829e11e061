"""Tensors of a file that nobody asked for: they mean nothing, or the file is refused.

An adapter beside a kernel, or a layer that the configuration does not have, would change what the
network computes.
"""

from npmobilenet.architecture import Network, Normalization
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents, RawTensor
from npmobilenet.formats.keras_config import ConfiguredModel
from npmobilenet.formats.matching import Assignment, find_tensor, weighted_layers
from npmobilenet.formats.messages import shown
from npmobilenet.formats.origins import Places

_COUNTS = ("count", "2")  # pictures that a Normalization was adapted to


def refuse_leftover_tensors(network: Network, found: Assignment) -> None:
    """Refuse a file where a layer of the network has more tensors than the network knows.

    Parameters
    ----------
    network : Network
    found : mapping
        An assignment without problems.

    Raises
    ------
    ModelFileError
        Naming the first such tensor; also if two layers of the network share a layer of the file.
    """
    owners: dict[int, str] = {}
    for name in weighted_layers(network):
        raw = found[name]
        other = owners.setdefault(id(raw), name)
        if other != name:
            raise ModelFileError(
                f"layers {shown(other)} and {shown(name)} both fit the tensors of {shown(raw.name)}"
            )
        asked = {
            id(find_tensor(network, name, variable, raw))
            for variable in network.layer_variables(name)
        }
        for key, tensor in raw.tensors.items():
            counts = isinstance(network[name].layer, Normalization) and key in _COUNTS
            if id(tensor) not in asked and not counts:
                raise ModelFileError(
                    f"tensor {shown(tensor.name)} of shape {tensor.shape} beside those of layer "
                    f"{shown(name)} ({type(network[name].layer).__name__}) is not supported"
                )


def refuse_leftover_layers(contents: Contents, model: ConfiguredModel, found: Assignment) -> None:
    """Refuse a file with tensors of a layer that its configuration does not have.

    Layers that the output does not depend on may have tensors.

    Raises
    ------
    ModelFileError
        Naming the first such layer.
    """
    taken = {id(raw) for raw in found.values()}
    weighted = set(weighted_layers(model.network))
    free = [origin for name, origin in model.origins.items() if name not in weighted]
    places = Places([*free, *model.unused])
    for raw in contents.layers:
        meant = any(_says_something(tensor) for tensor in raw.tensors.values())
        if id(raw) not in taken and meant and raw not in places:
            raise ModelFileError(
                f"the file has tensors of layer {shown('/'.join(raw.path or raw.keys))}, which is "
                "not in its configuration"
            )


def _says_something(tensor: RawTensor) -> bool:
    """Whether this is more than the seed of a random layer, or a counter."""
    return tensor.dtype not in ("int64", "uint32", "uint64")
