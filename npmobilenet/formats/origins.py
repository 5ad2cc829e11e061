"""From a model's configuration to the tensors of its file."""

import re
from collections.abc import Mapping
from functools import partial

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents, RawLayer, RawTensor
from npmobilenet.formats.keras_config import ConfiguredModel, Origin


def layers_by_origin(contents: Contents, model: ConfiguredModel) -> dict[str, RawLayer]:
    """The file's layer for each layer of a configured network that has one.

    Files that count (Keras 3) are asked by key, files with names (older HDF5) by the name of the
    outermost model and the layer's own. Statistics that stand in the configuration come from there.
    """
    found = {layer.name: layer for layer in _constant_layers(model)}
    keyed = {layer.keys: layer for layer in contents.layers if layer.keys}
    named = _by_path(contents)
    for name, origin in model.origins.items():
        raw = keyed.get(origin.keys) or _named(named, origin)
        if raw is not None:
            found.setdefault(name, raw)
    return found


def _constant_layers(model: ConfiguredModel) -> list[RawLayer]:
    """Layers whose tensors stand in the configuration itself."""
    tensors: dict[str, dict[str, RawTensor]] = {}
    for name, value in model.constants.items():
        layer, _, variable = name.rpartition("/")
        constant = RawTensor(name, value.shape, "float32", partial(np.asarray, value))
        tensors.setdefault(layer, {})[variable] = constant
    return [RawLayer((layer,), (), variables) for layer, variables in tensors.items()]


def described_layers(model: ConfiguredModel) -> list[RawLayer]:
    """The layers of a configured network as if a file had them: names and shapes, no values."""
    layers = []
    for name, origin in model.origins.items():
        tensors = {
            variable: RawTensor(f"{name}/{variable}", shape, "float32", _no_values)
            for variable, shape in model.network.layer_variables(name).items()
        }
        if tensors:
            layers.append(RawLayer(origin.names, (), tensors))
    return layers


def _by_path(contents: Contents) -> dict[tuple[str, ...], RawLayer]:
    """The file's layers by path, exact paths before those with TensorFlow 1's counter cut off."""
    named = {layer.path: layer for layer in contents.layers if layer.path}
    for path, layer in list(named.items()):
        named.setdefault((*path[:-1], re.sub(r"_\d+$", "", path[-1])), layer)
    return named


def _named(named: Mapping[tuple[str, ...], RawLayer], origin: Origin) -> RawLayer | None:
    outer, own = origin.names[0], origin.names[-1]
    if len(origin.names) == 1:
        return named.get((outer,))
    # A nested model of one layer looks like a layer; Normalization of Keras 2 leaves its name out.
    return named.get((outer, own)) or named.get((outer, "")) or named.get((outer,))


def _no_values() -> np.ndarray:
    raise ModelFileError("a configuration has no values")
