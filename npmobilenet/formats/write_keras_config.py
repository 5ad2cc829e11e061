"""From a network to the configuration that Keras builds the same model from.

The inverse of :mod:`npmobilenet.formats.keras_config`: data only, and only what differs from
Keras' defaults or what Keras insists on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from npmobilenet.architecture import (
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Input,
    Layer,
    LayerNormalization,
    Maximum,
    MaxPooling2D,
    Minimum,
    Multiply,
    Network,
    Node,
    Permute,
    PReLU,
    ReLU,
    RepeatVector,
    Rescaling,
    Reshape,
    Resizing,
    SeparableConv2D,
    Subtract,
    UnitNormalization,
    UpSampling2D,
    ZeroPadding2D,
)

Config = dict[str, Any]


def keras_config(network: Network) -> Config:
    """A functional model's configuration, as ``model.get_config`` of Keras 3 gives it.

    Raises
    ------
    ValueError
        If Keras has no such layer, or no such name of a layer.
    """
    first, last = network.nodes[0].name, network.nodes[-1].name
    return {
        "class_name": "Functional",
        "config": {
            "name": _checked_name(network.name),
            "trainable": True,
            "layers": [_node(network, node) for node in network],
            "input_layers": [[first, 0, 0]],
            "output_layers": [[last, 0, 0]],
        },
    }


def _node(network: Network, node: Node) -> Config:
    layer = node.layer
    kind = type(layer).__name__
    if type(layer) not in _FIELDS:
        raise ValueError(f"layer {layer.name!r} ({kind}) cannot be written for Keras")
    fields = {"name": _checked_name(layer.name), **_FIELDS[type(layer)](layer)}
    if isinstance(layer, Input):
        return {
            "class_name": "InputLayer",
            "config": fields,
            "name": layer.name,
            "inbound_nodes": [],
        }
    tensors = [_tensor(network, source) for source in node.inputs]
    # A merge is called on one list of tensors, any other layer on one tensor.
    arguments = [tensors] if layer.ARITY is None else tensors
    return {
        "class_name": kind,
        "config": {**fields, "trainable": True, "dtype": "float32"},
        "name": layer.name,
        "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }


def _tensor(network: Network, source: str) -> Config:
    return {
        "class_name": "__keras_tensor__",
        "config": {
            "shape": [None, *network.shapes[source]],
            "dtype": "float32",
            "keras_history": [source, 0, 0],
        },
    }


def _checked_name(name: str) -> str:
    if "/" in name or not name:
        raise ValueError(f"{name!r} is no name that Keras allows for a layer or a model")
    return name


def _activation(layer: Activation | Conv2D | Dense | DepthwiseConv2D | SeparableConv2D) -> str:
    if layer.activation == "hard_sigmoid_keras2":
        raise ValueError(
            f"layer {layer.name!r} has the hard_sigmoid of Keras 2, which Keras 3 has not"
        )
    if "(" in layer.activation or layer.activation in ("gelu_tanh", "sloped_relu"):
        raise ValueError(
            f"layer {layer.name!r} has activation {layer.activation}, for which Keras has no name"
        )
    return layer.activation


def _window(layer: Conv2D | DepthwiseConv2D | SeparableConv2D) -> Config:
    return {
        "kernel_size": layer.kernel_size,
        "strides": layer.strides,
        "padding": _named_padding(layer.name, layer.padding),
        "data_format": "channels_last",
        "dilation_rate": layer.dilation,
        "use_bias": layer.use_bias,
        "activation": _activation(layer),
    }


def _pooling(layer: AveragePooling2D | MaxPooling2D) -> Config:
    return {
        "pool_size": layer.kernel_size,
        "strides": layer.strides,
        "padding": _named_padding(layer.name, layer.padding),
        "data_format": "channels_last",
    }


def _named_padding(name: str, padding: object) -> str:
    if not isinstance(padding, str):
        raise ValueError(f"layer {name!r} has padding {padding}, for which Keras has no name")
    return padding


def _batch_norm(layer: BatchNormalization) -> Config:
    return {
        "axis": -1,
        "momentum": layer.momentum,
        "epsilon": layer.epsilon,
        "center": layer.center,
        "scale": layer.scale,
    }


def _global_pooling(layer: GlobalAveragePooling2D | GlobalMaxPooling2D) -> Config:
    return {"data_format": "channels_last", "keepdims": layer.keepdims}


def _interpolation(layer: Resizing | UpSampling2D) -> str:
    if layer.interpolation in ("gaussian", "mitchellcubic"):
        raise ValueError(
            f"layer {layer.name!r} has interpolation {layer.interpolation!r}, which Keras 3 has not"
        )
    return layer.interpolation


def _resizing(layer: Resizing) -> Config:
    return {
        "height": layer.height,
        "width": layer.width,
        "interpolation": _interpolation(layer),
        "antialias": layer.antialias,
        "crop_to_aspect_ratio": layer.crop_to_aspect_ratio,
        "pad_to_aspect_ratio": layer.pad_to_aspect_ratio,
        "fill_mode": "constant",
        "fill_value": layer.fill_value,
        "data_format": "channels_last",
    }


_FIELDS: Mapping[type[Layer], Callable[[Any], Config]] = {
    Activation: lambda layer: {"activation": _activation(layer)},
    Add: lambda layer: {},
    Average: lambda layer: {},
    Concatenate: lambda layer: {"axis": layer.axis},
    LayerNormalization: lambda layer: {
        "axis": -1,
        "epsilon": layer.epsilon,
        "center": layer.center,
        "scale": layer.scale,
    },
    Maximum: lambda layer: {},
    Minimum: lambda layer: {},
    Multiply: lambda layer: {},
    Subtract: lambda layer: {},
    UnitNormalization: lambda layer: {"axis": -1},
    AveragePooling2D: _pooling,
    BatchNormalization: _batch_norm,
    CenterCrop: lambda layer: {"height": layer.height, "width": layer.width},
    Conv2D: lambda layer: {"filters": layer.filters, **_window(layer)},
    Cropping2D: lambda layer: {"cropping": layer.cropping, "data_format": "channels_last"},
    Dense: lambda layer: {
        "units": layer.units,
        "use_bias": layer.use_bias,
        "activation": _activation(layer),
    },
    DepthwiseConv2D: lambda layer: {"depth_multiplier": layer.depth_multiplier, **_window(layer)},
    Dropout: lambda layer: {"rate": layer.rate},
    Flatten: lambda layer: {},
    GlobalAveragePooling2D: _global_pooling,
    GlobalMaxPooling2D: _global_pooling,
    Identity: lambda layer: {},
    Input: lambda layer: {"batch_shape": [None, *layer.shape], "dtype": "float32"},
    MaxPooling2D: _pooling,
    Permute: lambda layer: {"dims": layer.dims},
    PReLU: lambda layer: {"shared_axes": layer.shared_axes or None},
    ReLU: lambda layer: {"max_value": layer.max_value},
    RepeatVector: lambda layer: {"n": layer.n},
    Rescaling: lambda layer: {"scale": layer.scale, "offset": layer.offset},
    Reshape: lambda layer: {"target_shape": layer.target_shape},
    Resizing: _resizing,
    SeparableConv2D: lambda layer: {
        "filters": layer.filters,
        "depth_multiplier": layer.depth_multiplier,
        **_window(layer),
    },
    UpSampling2D: lambda layer: {
        "size": layer.size,
        "interpolation": _interpolation(layer),
        "data_format": "channels_last",
    },
    ZeroPadding2D: lambda layer: {"padding": layer.padding, "data_format": "channels_last"},
}
