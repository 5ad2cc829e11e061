"""A network as a Keras model: for TensorFlow itself, and for the converter of LiteRT."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from npmobilenet.architecture import Network, Node, ZeroPadding2D
from npmobilenet.architecture.layers import Window
from npmobilenet.formats.write_keras_config import keras_config

if TYPE_CHECKING:
    import keras


def keras_model(
    network: Network, weights: Mapping[str, NDArray[Any]], batch_size: int | None = None
) -> "keras.Model":
    """The network with its weights as a functional model, layer for layer under the same names.

    Padding that Keras has no name for becomes a padding layer of its own, called ``"..._padding"``.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array
    batch_size : int, optional
        Fixed for converters; any by default.

    Raises
    ------
    ValueError
        If Keras has no such layer.
    """
    import keras

    network = _with_padding_layers(network)
    config = keras_config(network)["config"]
    config["layers"][0]["config"]["batch_shape"][0] = batch_size
    model = keras.Model.from_config(config)
    for node in network:
        variables = network.layer_variables(node.name)
        values = [weights[f"{node.name}/{variable}"] for variable in variables]
        model.get_layer(node.name).set_weights(values)
    return model


def _with_padding_layers(network: Network) -> Network:
    nodes: list[Node] = []
    for node in network:
        layer = node.layer
        if isinstance(layer, Window) and not isinstance(layer.padding, str):
            padding = ZeroPadding2D(name=f"{layer.name}_padding", padding=layer.padding)
            nodes.append(Node(padding, node.inputs))
            nodes.append(Node(replace(layer, padding="valid"), (padding.name,)))
        else:
            nodes.append(node)
    return replace(network, nodes=tuple(nodes))
