"""A network cut to its embedding, and the same with a new classifier behind it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from npmobilenet.architecture import Dense, Network, Node, Rescaling
from npmobilenet.architecture.heads import embedding
from npmobilenet.architecture.pictures import picture_range

PIXEL_RANGE = (0.0, 255.0)
PREDICTIONS = "predictions"


def trunk(network: Network) -> Network:
    """From pixel values of 0 to 255 to the embedding.

    A network that takes another range gets a ``Rescaling`` in front, so that whoever runs it need
    not know the range.

    Parameters
    ----------
    network : Network
        Any with a feature map.

    Raises
    ------
    ValueError
        If there is no feature map.
    PictureInputError
        If nothing says what values the network takes.
    """
    cut = embedding(network)
    low, high = picture_range(network)
    if (low, high) != PIXEL_RANGE:
        cut = _behind(
            cut, Rescaling(name="rescaling", scale=(high - low) / PIXEL_RANGE[1], offset=low)
        )
    return replace(cut, input_range=PIXEL_RANGE)


def classifier(
    features: Network,
    weights: Mapping[str, np.ndarray],
    kernel: np.ndarray,
    bias: np.ndarray,
) -> tuple[Network, dict[str, np.ndarray]]:
    """A trunk with a softmax layer behind it, and the weights of both.

    Parameters
    ----------
    features : Network
        As `trunk` gives it.
    weights : mapping
        With the variables of ``features``; others are left out.
    kernel : ndarray of shape (features, classes)
    bias : ndarray of shape (classes,)
    """
    network = features.followed_by(
        Dense(name=PREDICTIONS, units=kernel.shape[1], activation="softmax")
    )
    tensors = {name: weights[name] for name in features.variables}
    tensors[f"{PREDICTIONS}/kernel"] = kernel.astype(np.float32)
    tensors[f"{PREDICTIONS}/bias"] = bias.astype(np.float32)
    return network, tensors


def _behind(network: Network, layer: Rescaling) -> Network:
    """The network with a layer between its input and what read the input."""
    first, *others = network.nodes
    nodes = [first, Node(layer, (first.name,))]
    for node in others:
        inputs = tuple(layer.name if name == first.name else name for name in node.inputs)
        nodes.append(Node(node.layer, inputs))
    return replace(network, nodes=tuple(nodes))
