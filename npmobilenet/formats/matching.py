"""Which tensors of a file belong to which layer of a network."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from npmobilenet.architecture import DepthwiseConv2D, Network
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import FLOAT_DTYPES, Contents, RawLayer, RawTensor
from npmobilenet.formats.keras_config import class_key
from npmobilenet.formats.limits import MAX_EXPANSION, MAX_TENSOR_BYTES

Assignment = Mapping[str, RawLayer]
"""Layers of a file by the names of the network's layers."""

_SHOWN = 3  # lines that a message lists
_OLD_NAMES = {"predictions": "Logits"}  # MobileNetV2's classifier before Keras 2.4


def assignments(
    network: Network, layers: Sequence[RawLayer], *, ordered: bool
) -> Iterator[Assignment]:
    """Every way to assign a file's layers that leaves no layer of the network without.

    By name first, then by Keras 3's counted keys, then by order where the file's order means
    something. Shapes are not compared.
    """
    wanted = weighted_layers(network)
    scopes: dict[tuple[str, ...], list[RawLayer]] = {}
    for layer in layers:
        scopes.setdefault(layer.scope, []).append(layer)
    for inside in scopes.values():
        for found in (_by_name(wanted, inside), _by_key(network, wanted, inside)):
            if found is not None:
                yield found
    if len(scopes) > 1:
        found = _by_name(wanted, layers)
        if found is not None:
            yield found
    if ordered:
        for inside in scopes.values():
            if len(inside) >= len(wanted):
                yield dict(zip(wanted, inside, strict=False))


def weighted_layers(network: Network) -> list[str]:
    """Names of the layers that have variables, in running order."""
    return [node.name for node in network if network.layer_variables(node.name)]


def find_tensor(network: Network, name: str, variable: str, raw: RawLayer) -> RawTensor | None:
    """The tensor of a file's layer for one variable of a network's layer."""
    if variable in raw.tensors:
        return raw.tensors[variable]
    if variable == "kernel" and isinstance(network[name].layer, DepthwiseConv2D):
        return raw.tensors.get("depthwise_kernel") or raw.tensors.get("0")
    number = list(network.layer_variables(name)).index(variable)
    return raw.tensors.get(str(number))


def problems(network: Network, found: Assignment) -> list[str]:
    """What does not fit, one line a tensor; empty if everything does."""
    lines = []
    for name in weighted_layers(network):
        if name not in found:
            lines.append(f"{name} is missing")
            continue
        for variable, shape in network.layer_variables(name).items():
            tensor = find_tensor(network, name, variable, found[name])
            if tensor is None:
                lines.append(f"{name}/{variable} is missing")
            elif tensor.shape != shape:
                lines.append(f"{name}/{variable} has shape {tensor.shape}, expected {shape}")
    return lines


def first_few(lines: Sequence[str]) -> str:
    """The first lines and how many more there are, for a message."""
    more = len(lines) - _SHOWN
    return ", ".join(lines[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def read_tensors(
    contents: Contents,
    network: Network,
    found: Assignment,
) -> dict[str, np.ndarray]:
    """Values of all variables as float32, in the network's order.

    Parameters
    ----------
    contents : Contents
    network : Network
    found : mapping
        An assignment without :func:`problems`.

    Raises
    ------
    ModelFileError
        If a tensor is not of floats, has a NaN or infinity, or the tensors claim more than the
        file can hold.
    """
    tensors: dict[str, RawTensor] = {}
    for name in weighted_layers(network):
        for variable in network.layer_variables(name):
            tensor = find_tensor(network, name, variable, found[name])
            if tensor is None:
                raise ModelFileError(f"tensor {name}/{variable} is missing")
            tensors[f"{name}/{variable}"] = tensor
    # Before anything is allocated: many small claims make a large one.
    claimed = sum(4 * math.prod(tensor.shape) for tensor in tensors.values())
    if claimed > min(MAX_TENSOR_BYTES, MAX_EXPANSION * contents.size):
        raise ModelFileError(f"tensors of {claimed} bytes in a file of {contents.size} bytes")
    return {name: _read_float32(tensor) for name, tensor in tensors.items()}


def _read_float32(tensor: RawTensor) -> np.ndarray:
    if tensor.dtype not in FLOAT_DTYPES:
        raise ModelFileError(
            f"tensor {tensor.name!r} has dtype {tensor.dtype}, expected one of "
            f"{', '.join(sorted(FLOAT_DTYPES))}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.ascontiguousarray(tensor.read(), np.float32)
    if not np.isfinite(value).all():
        bad = int(value.size - np.isfinite(value).sum())
        raise ModelFileError(
            f"tensor {tensor.name!r} has {bad} of {value.size} values that are NaN or infinite"
        )
    return value.reshape(tensor.shape)


def _by_name(wanted: list[str], layers: Sequence[RawLayer]) -> Assignment | None:
    with_names = [layer for layer in layers if layer.path]
    named: dict[str, RawLayer] = {}
    for layer in with_names:
        named.setdefault(layer.name, layer)
    for layer in with_names:
        named.setdefault("/".join(layer.path), layer)
    for layer in with_names:
        # TensorFlow 1 made a name unique with a counter: "conv1_1".
        named.setdefault(re.sub(r"_\d+$", "", layer.name), layer)
    found = {}
    for name in wanted:
        known = name if name in named else _OLD_NAMES.get(name, name)
        if known not in named:
            return None
        found[name] = named[known]
    return found


def _by_key(network: Network, wanted: list[str], layers: Sequence[RawLayer]) -> Assignment | None:
    keyed = {layer.keys[-1]: layer for layer in layers if layer.keys}
    found = {}
    counts: dict[str, int] = {}
    for name in wanted:
        key = class_key(type(network[name].layer).__name__, counts)
        if key not in keyed:
            return None
        found[name] = keyed[key]
    return found
