"""From the configuration of a whole Keras model to a network, nested models inlined.

The configuration is data: every layer is read field by field, and nothing in it is run.
"""

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from npmobilenet.architecture import (
    Dropout,
    Identity,
    Input,
    Layer,
    Network,
    Node,
    Normalization,
    Rescaling,
    Shape,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_arithmetic import arithmetic_layer
from npmobilenet.formats.keras_calls import Call, call_of, reference
from npmobilenet.formats.keras_dtypes import dtype_note
from npmobilenet.formats.keras_fields import Config, Fields, shape_of
from npmobilenet.formats.keras_geometry_calls import geometry_call
from npmobilenet.formats.keras_harmless import foreign, unknown_entries
from npmobilenet.formats.keras_layers import keras_layer
from npmobilenet.formats.keras_merging import merging_call
from npmobilenet.formats.keras_wrappers import WRAPPED_KEY, for_each_step
from npmobilenet.formats.limits import MAX_DEPTH, MAX_NAME, MAX_OBJECTS, MAX_VALUES
from npmobilenet.formats.messages import shown

_FUNCTIONAL = ("Functional", "Model")
_MODELS = (*_FUNCTIONAL, "Sequential")
_MODEL_FIELDS = ("layers", "input_layers", "output_layers")

# How Keras 3 counts layers inside a file: by class, in snake case. Only these hold variables.
_KEYS = {
    "BatchNormalization": "batch_normalization",
    "Conv2D": "conv2d",
    "Dense": "dense",
    "DepthwiseConv2D": "depthwise_conv2d",
    "Functional": "functional",
    "Model": "functional",
    "LayerNormalization": "layer_normalization",
    "Normalization": "normalization",
    "PReLU": "p_re_lu",
    "SeparableConv2D": "separable_conv2d",
    "Sequential": "sequential",
    "TimeDistributed": "time_distributed",
}


@dataclass(frozen=True)
class Origin:
    """Where a layer stands in its file: names, and Keras 3's counted keys, from the outside in."""

    names: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class ConfiguredModel:
    """A model as its configuration describes it.

    Parameters
    ----------
    network : Network
    origins : dict
        By layer name: where its tensors are kept.
    unused : tuple of Origin
        Layers that the output does not depend on.
    constants : dict
        Tensors by canonical name that stand in the configuration itself (Normalization).
    notes : tuple of str
    """

    network: Network
    origins: Mapping[str, Origin]
    unused: tuple[Origin, ...]
    constants: Mapping[str, np.ndarray]
    notes: tuple[str, ...]


def class_key(class_name: str, counts: dict[str, int]) -> str:
    """Keras 3's key for the next layer of a class; ``counts`` is kept for each model."""
    base = _KEYS.get(class_name, class_name)
    number = counts.get(base, 0)
    counts[base] = number + 1
    return f"{base}_{number}" if number else base


def read_config(
    config: Config, input_shape: Shape | None = None, keras: int | None = None
) -> ConfiguredModel:
    """The network of a model's configuration.

    Parameters
    ----------
    config : mapping
        With ``class_name`` ``"Functional"`` or ``"Sequential"``, as Keras 2 and 3 write it.
    input_shape : tuple, optional
        Of one sample, in place of the shape that the file gives.
    keras : {2, 3}, optional
        The Keras that wrote it, where that is known.

    Raises
    ------
    ModelFileError
        If a layer is unknown or shared, has a field or argument that is not known, there are
        several inputs or outputs, or shapes do not fit.
    """
    class_name, name, fields = _described(config)
    if class_name not in _MODELS:
        raise ModelFileError(
            f"the configuration is of class {shown(class_name)}, expected one of "
            f"{', '.join(_MODELS)}"
        )
    shape = input_shape or _declared_shape(config)
    if shape is None:
        raise ModelFileError(f"model {shown(name)} does not say the shape of its input")
    inliner = _Inliner(Input(name=_input_name(config), shape=shape), keras)
    first = inliner.nodes[0].name
    output = inliner.model(class_name, name, fields, Origin((), ()), Call([first]))
    network = Network(name, tuple(inliner.nodes)).until(output)
    kept = {node.name for node in network}
    return ConfiguredModel(
        network,
        {layer: origin for layer, origin in inliner.origins.items() if layer in kept},
        tuple(origin for layer, origin in inliner.origins.items() if layer not in kept),
        {
            name: value
            for name, value in inliner.constants.items()
            if name.rpartition("/")[0] in kept
        },
        tuple(inliner.notes),
    )


@dataclass(frozen=True)
class _Call:
    """A layer of a functional model and what it is called on."""

    class_name: str
    name: str
    fields: Config
    origin: Origin
    call: Call


class _Inliner:
    """Writes the layers of a model and of the models in it into one list of nodes."""

    def __init__(self, first: Input, keras: int | None) -> None:
        self.keras = keras
        self.nodes = [Node(first, ())]
        self.origins: dict[str, Origin] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.notes: list[str] = []
        self._shapes: dict[str, Shape] = {first.name: first.shape}
        self._names: dict[tuple[str, ...], str] = {}
        self._taken = {first.name}

    def model(self, class_name: str, name: str, fields: Config, origin: Origin, call: Call) -> str:
        """Add a model that reads one layer; the name of its output node."""
        if len(origin.names) > MAX_DEPTH:
            raise ModelFileError(f"models nested more than {MAX_DEPTH} deep at {shown(name)}")
        if len(call.operands) != 1:
            raise ModelFileError(
                f"model {shown(name)} has {len(call.operands)} inputs, expected one"
            )
        (source,) = call.sources
        read = Fields(class_name, name, fields, 0, call.arguments, self.keras)
        for field in _MODEL_FIELDS:
            read.raw(field)
        read.finish()
        layers = _layers(name, fields)
        self._reserve_names(layers, origin)
        if class_name == "Sequential":
            return self._sequential(layers, origin, source)
        return self._functional(name, fields, layers, origin, source)

    def _sequential(self, layers: list[Config], origin: Origin, source: str) -> str:
        counts: dict[str, int] = {}
        for config in layers:
            class_name, name, fields = _described(config)
            if class_name == "InputLayer":
                self._check_input(name, fields)
            else:
                inner = _inner(origin, name, class_key(class_name, counts))
                source = self._layer(class_name, name, fields, inner, Call([source]))
        return source

    def _functional(
        self, name: str, fields: Config, layers: list[Config], origin: Origin, source: str
    ) -> str:
        output = reference(fields.get("output_layers"), name)
        first = reference(fields.get("input_layers"), name)
        counts: dict[str, int] = {}
        calls: list[_Call] = []
        for config in layers:
            class_name, layer, inner = _described(config)
            if class_name != "InputLayer":
                place = _inner(origin, layer, class_key(class_name, counts))
                calls.append(_Call(class_name, layer, inner, place, call_of(config, layer)))
            elif layer != first:
                raise ModelFileError(f"model {shown(name)} has a second input {shown(layer)}")
            else:
                self._check_input(layer, inner)
        outputs = {first: source}
        for step in _in_running_order(calls, first):
            reads = [
                outputs[read] if isinstance(read, str) else read for read in step.call.operands
            ]
            call = Call(reads, step.call.arguments)
            outputs[step.name] = self._layer(
                step.class_name, step.name, step.fields, step.origin, call
            )
        if output not in outputs:
            raise ModelFileError(f"model {shown(name)} has no layer {shown(output)}, its output")
        return outputs[output]

    def _check_input(self, name: str, fields: Config) -> None:
        Fields("InputLayer", name, fields, 0).finish()
        self._note(dtype_note("InputLayer", name, fields))

    def _layer(self, class_name: str, name: str, fields: Config, origin: Origin, call: Call) -> str:
        """Add one layer or nested model; the name of its output node."""
        if class_name in _MODELS:
            return self.model(class_name, name, fields, origin, call)
        sources = call.sources
        unique = self._names[origin.names]
        rank = len(self._shapes[sources[0]])
        if class_name == "TimeDistributed":
            return self._time_distributed(unique, fields, origin, call)
        read = Fields(class_name, unique, fields, rank, call.arguments, self.keras)
        layer = arithmetic_layer(read, call.operands)
        if layer is None:
            if len(sources) != len(call.operands):
                raise ModelFileError(f"{read} is called with numbers, which is not supported")
            layer = geometry_call(read, self._shapes[sources[0]]) or merging_call(read)
            layer = layer or keras_layer(read)
        if layer.ARITY is not None and len(sources) != 1:
            raise ModelFileError(f"{read} has {len(sources)} inputs")
        self._append(layer, origin, tuple(sources))
        self._note(dtype_note(class_name, unique, fields))
        if isinstance(layer, Normalization):
            self._keep_statistics(layer, fields, self._shapes[sources[0]])
        return unique

    def _time_distributed(self, name: str, fields: Config, origin: Origin, call: Call) -> str:
        """Add the layer that a wrapper and what it wraps amount to."""
        if len(call.operands) != 1 or len(call.sources) != 1:
            raise ModelFileError(
                f"layer {shown(name)} (TimeDistributed) has {len(call.operands)} inputs"
            )
        shape = self._shapes[call.sources[0]]
        wrapper = Fields("TimeDistributed", name, fields, len(shape), call.arguments, self.keras)
        inner_class, inner_name, inner = _described(wrapper.raw(WRAPPED_KEY))
        wrapper.finish()
        each = Fields(inner_class, name, inner, len(shape) - 1, None, self.keras)
        # Only Keras 3 names tensors after the wrapped layer as well.
        names = (*origin.names, inner_name) if self.keras == 3 else origin.names
        place = Origin(names, (*origin.keys, WRAPPED_KEY))
        self._append(for_each_step(wrapper, keras_layer(each), shape), place, tuple(call.sources))
        self._note(dtype_note(inner_class, name, inner))
        return name

    def _note(self, note: str | None) -> None:
        if note is not None and note not in self.notes:
            self.notes.append(note)

    def _append(self, layer: Layer, origin: Origin, sources: tuple[str, ...]) -> None:
        if len(self.nodes) >= MAX_OBJECTS:
            raise ModelFileError(f"more than {MAX_OBJECTS} layers")
        if isinstance(layer, Rescaling):
            self._check_lengths(layer, self._shapes[sources[0]][-1])
        try:
            shape = layer.output_shape(*(self._shapes[source] for source in sources))
        except (ArithmeticError, LookupError, ValueError) as error:
            raise ModelFileError(
                f"layer {shown(layer.name)} ({type(layer).__name__}) does not fit its input of "
                f"shape {self._shapes[sources[0]]}: {error}"
            ) from None
        if None not in shape and math.prod(size or 0 for size in shape) > MAX_VALUES:
            raise ModelFileError(
                f"layer {shown(layer.name)} ({type(layer).__name__}) gives {shape}, which is more "
                f"than {MAX_VALUES} values"
            )
        self._shapes[layer.name] = shape
        self.nodes.append(Node(layer, sources))
        self.origins[layer.name] = origin

    def _check_lengths(self, layer: Rescaling, channels: int | None) -> None:
        for values in (layer.scale, layer.offset):
            if isinstance(values, tuple) and len(values) != channels:
                raise ModelFileError(
                    f"layer {shown(layer.name)} computes with {len(values)} numbers, expected 1 or "
                    f"{channels}"
                )

    def _reserve_names(self, layers: list[Config], origin: Origin) -> None:
        """Give the layers of a model their names before those of the models in it get theirs.

        A layer keeps its own name, or has its models' names before it if that one is taken.
        """
        for config in layers:
            class_name, name, _ = _described(config)
            if class_name in _MODELS or class_name == "InputLayer":
                continue
            path = (*origin.names, name)
            candidates = ("/".join(path[first:]) for first in reversed(range(len(path))))
            unique = next((name for name in candidates if name not in self._taken), None)
            if unique is None or path in self._names:
                raise ModelFileError(f"two layers are named {'/'.join(path)!r}")
            self._taken.add(unique)
            self._names[path] = unique

    def _keep_statistics(self, layer: Normalization, config: Config, shape: Shape) -> None:
        """Mean and variance that the configuration itself gives."""
        fields = Fields("Normalization", layer.name, config, len(shape))
        for field, size in layer.variables(shape).items():
            values = fields.numbers(field)
            if values is not None:
                if len(values) not in (1, *size):
                    raise fields.refuse(field, f"{size[0] if size else 1} numbers")
                statistic = np.asarray(values if len(values) > 1 else values[0], np.float32)
                # A view: a file may claim any number of channels.
                self.constants[f"{layer.name}/{field}"] = np.broadcast_to(statistic, size)


def _in_running_order(calls: list[_Call], first: str) -> Iterator[_Call]:
    """Layers after those that they read, otherwise in the order of the file."""
    readers: dict[str, list[int]] = {}
    missing = []
    for position, call in enumerate(calls):
        sources = set(call.call.sources)
        missing.append(len(sources))
        for source in sources:
            readers.setdefault(source, []).append(position)
    ready: list[int] = []
    found = [first]
    done = 0
    while found:
        for position in readers.pop(found.pop(), ()):
            missing[position] -= 1
            if not missing[position]:
                heapq.heappush(ready, position)
        if ready:
            call = calls[heapq.heappop(ready)]
            found.append(call.name)
            done += 1
            yield call
    if done < len(calls):
        late = next(call for call, count in zip(calls, missing, strict=True) if count)
        raise ModelFileError(f"layer {shown(late.name)} reads layers that are never computed")


def _inner(origin: Origin, name: str, key: str) -> Origin:
    return Origin((*origin.names, name), (*origin.keys, key))


def _described(config: Any) -> tuple[str, str, Config]:
    """Class, name and fields of a layer's or model's configuration."""
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ModelFileError("a layer of the configuration has no class_name")
    class_name = config["class_name"]
    elsewhere = foreign(config)
    if elsewhere is not None:
        raise ModelFileError(
            f"a layer of class {shown(class_name)} comes from {elsewhere}, not from Keras; code in "
            "model files is never run"
        )
    unknown = unknown_entries(config)
    if unknown:
        raise ModelFileError(
            f"a layer of class {shown(class_name)} has {shown(unknown[0])} beside its config, "
            "which is not supported"
        )
    fields = config.get("config")
    if isinstance(fields, list):  # Sequential before Keras 2.2
        fields = {"name": "sequential", "layers": fields}
    if not isinstance(fields, dict):
        raise ModelFileError(f"a layer of class {shown(class_name)} has no config")
    # A functional model calls its layers by the outer name.
    name = config.get("name", fields.get("name"))
    if not isinstance(name, str) or not name:
        raise ModelFileError(f"a layer of class {shown(class_name)} has no name")
    if max(len(name), len(class_name)) > MAX_NAME:
        raise ModelFileError(
            f"layer {shown(name)} of class {shown(class_name)}: names of more than {MAX_NAME} "
            "characters are not read"
        )
    return class_name, name, fields


def _layers(name: str, fields: Config) -> list[Config]:
    layers = fields.get("layers")
    if not isinstance(layers, list) or not layers:
        raise ModelFileError(f"model {shown(name)} has no layers")
    if len(layers) > MAX_OBJECTS:
        raise ModelFileError(f"model {shown(name)} has more than {MAX_OBJECTS} layers")
    return layers


def _declared_shape(config: Config, depth: int = 0) -> Shape | None:
    """The input shape that a model gives, itself or in its first layer."""
    _, name, fields = _described(config)
    for field in ("batch_shape", "batch_input_shape", "build_input_shape"):
        shape = shape_of(fields.get(field))
        if shape is not None and shape[-1] is not None:
            return shape
    if "layers" not in fields or depth > MAX_DEPTH:
        return None
    layers = _layers(name, fields)
    if config["class_name"] in _FUNCTIONAL:
        first = reference(fields.get("input_layers"), name)
        layers = [layer for layer in layers if _described(layer)[1] == first]
    for layer in layers:
        shape = _declared_shape(layer, depth + 1)
        if shape is not None:
            return shape
        if _described(layer)[0] not in _MODELS and not _passes(layer):
            break
    return None


def _passes(config: Config) -> bool:
    """Whether a layer's input has the shape of its output, so that the next may give it."""
    class_name, name, fields = _described(config)
    if class_name in ("InputLayer", "Normalization", "Rescaling"):
        return True
    if class_name in ("RandomCrop", "TimeDistributed"):  # these may give another
        return False
    return isinstance(keras_layer(Fields(class_name, name, fields, 3)), Dropout | Identity)


def _input_name(config: Config) -> str:
    """The name of the first input layer, or ``"input_layer"``."""
    _, _, fields = _described(config)
    for layer in _layers("", fields):
        class_name, name, _ = _described(layer)
        if class_name == "InputLayer":
            return name
    return "input_layer"
