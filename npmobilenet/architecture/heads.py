"""Networks cut out of a classifier: its logits, and its embedding."""

from dataclasses import replace

from npmobilenet.architecture.layers import (
    Activation,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
)
from npmobilenet.architecture.network import Network, Node

_ENDS_OF_FEATURES = (GlobalAveragePooling2D, GlobalMaxPooling2D, Flatten)
_PROBABILITIES = frozenset({"softmax", "sigmoid"})


def gives_probabilities(network: Network) -> bool:
    """Whether the last layer ends in softmax or sigmoid over a vector of classes."""
    last = network.nodes[-1].layer
    return (
        len(network.output_shape) == 1
        and isinstance(last, Activation | Dense | Conv2D)
        and last.activation in _PROBABILITIES
    )


def logits(network: Network) -> Network:
    """The network without its last softmax or sigmoid.

    Raises
    ------
    ValueError
        If it does not end in one: what it gives are no probabilities.
    """
    if not gives_probabilities(network):
        raise ValueError(f"network {network.name!r} does not end in class probabilities")
    node = network.nodes[-1]
    if isinstance(node.layer, Activation):
        return network.until(node.inputs[0])
    linear = replace(node.layer, activation="linear")  # type: ignore[call-arg]
    return replace(network, nodes=(*network.nodes[:-1], Node(linear, node.inputs)))


def embedding(network: Network) -> Network:
    """The mean of the last feature map over height and width, one value a channel.

    For MobileNet V1 and V2 that is the input of the classifier (1024 and 1280 values at
    alpha 1), whatever head a network has, or none.

    Raises
    ------
    ValueError
        If the network has no feature map.
    """
    # The name is free: everything behind the feature map is cut off.
    features = network.until(last_feature_map(network))
    return features.followed_by(GlobalAveragePooling2D(name="embedding"))


def last_feature_map(network: Network) -> str:
    """Name of the layer whose output is pooled or flattened for the classifier.

    Raises
    ------
    ValueError
        If the network has no feature map.
    """
    features = None
    for node in network:
        if isinstance(node.layer, _ENDS_OF_FEATURES):
            break
        if len(network.shapes[node.name]) == 3:
            features = node.name
    if features is None:
        raise ValueError(f"network {network.name!r} has no feature map to take the mean of")
    return features
