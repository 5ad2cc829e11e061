"""A network as a Keras model, for Keras itself and for the converter of LiteRT."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bench.peers.folding import fold
from npmobilenet.architecture import (
    Add,
    AveragePooling2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Network,
)

if TYPE_CHECKING:
    import keras


def keras_model(
    network: Network, weights: Mapping[str, np.ndarray], batch_size: int | None = None
) -> "keras.Model":
    """The folded network with its weights, as a functional model."""
    from keras import Model

    network, weights = fold(network, weights)
    tensors = {}
    for node in network:
        inputs = [tensors[name] for name in node.inputs]
        tensors[node.name] = (
            _layer(node.layer)(*inputs) if inputs else _input(node.layer, batch_size)
        )
    names = [node.name for node in network]
    model = Model(tensors[names[0]], tensors[names[-1]])
    for name in names:
        variables = [weights[f"{name}/{variable}"] for variable in network.layer_variables(name)]
        model.get_layer(name).set_weights(variables)
    return model


def _input(layer, batch_size):
    from keras import Input as KerasInput

    return KerasInput(layer.shape, batch_size, name=layer.name)


def _layer(layer):
    from keras import layers

    match layer:
        case Conv2D():
            return _after_padding(layer, layers.Conv2D, filters=layer.filters)
        case DepthwiseConv2D():
            return _after_padding(
                layer, layers.DepthwiseConv2D, depth_multiplier=layer.depth_multiplier
            )
        case Dense():
            return layers.Dense(layer.units, activation=layer.activation, name=layer.name)
        case MaxPooling2D():
            return layers.MaxPooling2D(layer.kernel_size, layer.strides, name=layer.name)
        case AveragePooling2D():
            return layers.AveragePooling2D(layer.kernel_size, layer.strides, name=layer.name)
        case GlobalAveragePooling2D():
            return layers.GlobalAveragePooling2D(keepdims=layer.keepdims, name=layer.name)
        case Add():
            add = layers.Add(name=layer.name)
            return lambda *tensors: add(list(tensors))
    raise TypeError(f"layer {layer.name!r} is a {type(layer).__name__}, which no benchmark has")


def _after_padding(layer, kind, **parameters):
    from keras import layers

    explicit = not isinstance(layer.padding, str)
    convolution = kind(
        kernel_size=layer.kernel_size,
        strides=layer.strides,
        padding="valid" if explicit else layer.padding,
        activation=layer.activation,
        name=layer.name,
        **parameters,
    )
    if not explicit:
        return convolution
    return lambda tensor: convolution(layers.ZeroPadding2D(layer.padding)(tensor))
