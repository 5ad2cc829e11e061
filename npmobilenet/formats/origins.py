"""From a model's configuration to the tensors of its file."""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import takewhile

import numpy as np

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.contents import Contents, RawLayer, RawTensor
from npmobilenet.formats.keras_config import ConfiguredModel, Origin
from npmobilenet.formats.messages import shown

_MOST_ALIKE = 64  # layers of one name in one nested model; comparing them takes the cube


def layers_by_origin(contents: Contents, model: ConfiguredModel) -> dict[str, RawLayer]:
    """The file's layer for each layer of a configured network that has one.

    Files that count (Keras 3) are asked by key, files with names (older HDF5) by the name of the
    outermost model and the layer's own. Statistics that stand in the configuration come from there.
    """
    found = {layer.name: layer for layer in _constant_layers(model)}
    keyed = {layer.keys: layer for layer in contents.layers if layer.keys}
    named = _by_path(contents)
    scoped = _by_scope(contents, model)
    for name, origin in model.origins.items():
        raw = keyed.get(origin.keys) or scoped.get(name) or _named(named, origin)
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


class Places:
    """Some layers of a configuration, to ask whether a layer of a file may be one of them."""

    def __init__(self, origins: Iterable[Origin]) -> None:
        origins = list(origins)
        self._keys = {origin.keys for origin in origins}
        self._outer = {origin.names[0] for origin in origins}
        self._ends = {(origin.names[0], origin.names[-1]) for origin in origins}

    def __contains__(self, raw: RawLayer) -> bool:
        if raw.keys:
            return raw.keys in self._keys
        outer, own = raw.path[0], raw.path[-1]
        if len(raw.path) == 1:
            return outer in self._outer or _plain(outer) in self._outer
        known = (outer, own) in self._ends or (outer, _plain(own)) in self._ends
        return known or (not own and outer in self._outer)


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
        named.setdefault((*path[:-1], _plain(path[-1])), layer)
    return named


def _plain(name: str) -> str:
    """A name without the counter that TensorFlow 1 made it unique with."""
    return re.sub(r"_\d+$", "", name)


def _named(named: Mapping[tuple[str, ...], RawLayer], origin: Origin) -> RawLayer | None:
    outer, own = origin.names[0], origin.names[-1]
    if len(origin.names) == 1:
        return named.get((outer,))
    # A nested model of one layer looks like a layer; Normalization of Keras 2 leaves its name out.
    return named.get((outer, own)) or named.get((outer, "")) or named.get((outer,))


def _by_scope(contents: Contents, model: ConfiguredModel) -> dict[str, RawLayer]:
    """The layers whose name several models inside one nested model have, by the models' names.

    Raises
    ------
    ModelFileError
        If the names of the models do not tell which layer of the file is whose.
    """
    raws: dict[tuple[str, str], list[RawLayer]] = {}
    for layer in contents.layers:
        if len(layer.path) > 1:
            raws.setdefault((layer.path[0], layer.path[-1]), []).append(layer)
    origins: dict[tuple[str, str], list[str]] = {}
    for name, origin in model.origins.items():
        origins.setdefault((origin.names[0], origin.names[-1]), []).append(name)
    found = {}
    for ends, layers in raws.items():
        names = origins.get(ends, [])
        if len(layers) > 1 and names:
            places = {name: model.origins[name].names[:-1] for name in names}
            pairs = {}
            if len(layers) <= _MOST_ALIKE:
                pairs = _paired(places, {raw.path[1:-1]: raw for raw in layers})
            if len(pairs) < len(names):
                raise ModelFileError(
                    f"the file does not say which of the models in {shown(ends[0])} each of its "
                    f"{len(layers)} layers {shown(ends[1])} belongs to; a .keras file says it"
                )
            found.update(pairs)
    return found


def _paired(
    places: Mapping[str, tuple[str, ...]], raws: Mapping[tuple[str, ...], RawLayer]
) -> dict[str, RawLayer]:
    """Each layer with the scopes that end most like its place; only what is beyond doubt."""
    found: dict[str, RawLayer] = {}
    left, free = dict(places), dict(raws)
    while left and free:
        scores = {
            (name, scopes): _common_end(place, scopes)
            for name, place in left.items()
            for scopes in free
        }
        best = max(scores.values())
        pairs = [pair for pair, score in scores.items() if score == best]
        sure = [
            (name, scopes)
            for name, scopes in pairs
            if sum(name == other for other, _ in pairs) == 1
            and sum(scopes == other for _, other in pairs) == 1
        ]
        if not sure:
            break
        for name, scopes in sure:
            found[name] = free.pop(scopes)
            del left[name]
    return found


def _common_end(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """How many last names are the same."""
    pairs = zip(reversed(first), reversed(second), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _no_values() -> np.ndarray:
    raise ModelFileError("a configuration has no values")
