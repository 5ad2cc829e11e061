"""How a classifier ends, and networks cut out of it: its logits, and its embedding."""

from contextlib import suppress
from dataclasses import replace

from npmobilenet.architecture.geometry import CenterCrop, Resizing
from npmobilenet.architecture.layers import (
    Activation,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Identity,
    Reshape,
)
from npmobilenet.architecture.network import Network, Node
from npmobilenet.architecture.shapes import Shape

_PROBABILITIES = frozenset({"softmax", "sigmoid"})
_ORDER_KEPT = (Reshape, Flatten, Dropout, Identity)


def gives_probabilities(network: Network) -> bool:
    """Whether the network ends in softmax or sigmoid over a vector of classes."""
    return _activation(network) in _PROBABILITIES


def gives_logits(network: Network) -> bool:
    """Whether it ends in a layer with weights over a vector of classes and has no activation."""
    return _activation(network) == "linear"


def is_classifier(network: Network) -> bool:
    """Whether it gives probabilities of classes, or logits that they can be made of."""
    return gives_probabilities(network) or gives_logits(network)


def class_count(network: Network) -> int:
    """How many classes the output tells apart: a single unit says of two how probable one is."""
    size = network.output_shape[-1] or 0
    return 2 if has_one_unit(network) else size


def has_one_unit(network: Network) -> bool:
    """Whether a classifier has one unit, whose sigmoid is the probability of the second class."""
    return network.output_shape == (1,) and (
        _activation(network) == "sigmoid" or gives_logits(network)
    )


def probabilities(network: Network) -> Network:
    """The network with the activation that its logits lack: softmax, or sigmoid for one unit.

    Raises
    ------
    ValueError
        If it is no classifier.
    """
    if gives_probabilities(network):
        return network
    if not gives_logits(network):
        raise ValueError(f"network {network.name!r} does not end in classes")
    activation = "sigmoid" if network.output_shape == (1,) else "softmax"
    name = "probabilities"
    while name in {node.name for node in network}:
        name += "_"
    return network.followed_by(Activation(name=name, activation=activation))


def logits(network: Network) -> Network:
    """The network without its last softmax or sigmoid; as it is, if it has none.

    Raises
    ------
    ValueError
        If it does not end in classes.
    """
    if gives_logits(network):
        return network
    if not gives_probabilities(network):
        raise ValueError(f"network {network.name!r} does not end in class probabilities")
    end = _end(network)
    if isinstance(network[end].layer, Activation) and end == network.nodes[-1].name:
        return network.until(network[end].inputs[0])
    nodes = tuple(_linear(node) if node.name == end else node for node in network)
    return replace(network, nodes=nodes)


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
    # What has a height of any size for images of any size is a map. The last one leads to the
    # output: poolings before it (squeeze-and-excite) are its own.
    shapes = _shapes_for_any_size(network.until(network.nodes[-1].name))
    maps = [name for name, shape in shapes.items() if len(shape) == 3 and shape[0] is None]
    if not maps:
        raise ValueError(f"network {network.name!r} has no feature map to take the mean of")
    return maps[-1]


def _shapes_for_any_size(network: Network) -> dict[str, Shape]:
    """Shapes for images of any size, of the layers that such images can reach."""
    first = network.nodes[0].name
    shapes: dict[str, Shape] = {}
    if len(network.input_shape) == 3:
        shapes[first] = (None, None, network.input_shape[-1])
    for node in network.nodes[1:]:
        if all(source in shapes for source in node.inputs):
            with suppress(ValueError):  # a dense layer on a flattened map
                inputs = [shapes[source] for source in node.inputs]
                shape = node.layer.output_shape(*inputs)
                node.layer.variables(*inputs)
                if isinstance(
                    node.layer, Resizing | CenterCrop
                ):  # a map of a size that it asks for
                    shape = (None, None, shape[-1])
                shapes[node.name] = shape
    return shapes


def _end(network: Network) -> str:
    """Name of the last layer that computes: those behind it only give its values a shape."""
    node = network.nodes[-1]
    while isinstance(node.layer, _ORDER_KEPT) or _activation_of(node) == ("Activation", "linear"):
        node = network[node.inputs[0]]
    return node.name


def _activation(network: Network) -> str | None:
    """What the classifier's scores go through; ``None`` if the output are no scores of classes.

    Softmax works along the last axis: it is one over the classes where no other axis has a size.
    """
    end = _end(network)
    if len(network.output_shape) != 1 or any(size != 1 for size in network.shapes[end][:-1]):
        return None
    _, activation = _activation_of(network[end])
    return activation


def _activation_of(node: Node) -> tuple[str, str | None]:
    """The class of a layer, and the activation that it has."""
    known = isinstance(node.layer, Activation | Dense | Conv2D)
    return type(node.layer).__name__, node.layer.activation if known else None  # type: ignore[attr-defined]


def _linear(node: Node) -> Node:
    if isinstance(node.layer, Activation):
        return Node(Identity(name=node.name), node.inputs)
    return Node(replace(node.layer, activation="linear"), node.inputs)  # type: ignore[call-arg]
