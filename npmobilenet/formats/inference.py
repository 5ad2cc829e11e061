"""A network from weights alone: the MobileNet among them and what stands around it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from npmobilenet.architecture import Layer, Network, Node, Shape
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.backbone import Backbone, recognise
from npmobilenet.formats.contents import Contents
from npmobilenet.formats.head import Head, infer_head
from npmobilenet.formats.matching import Assignment, first_few

_RESOLUTION = 224


@dataclass(frozen=True)
class Inferred:
    """A network that fits the tensors of a file.

    Parameters
    ----------
    network : Network
    layers : mapping
        The file's layers by the names of the network's.
    backbone : Backbone
    assumptions : tuple of str
        What the file does not say.
    """

    network: Network
    layers: Assignment
    backbone: Backbone
    assumptions: tuple[str, ...]


def infer_network(contents: Contents, input_shape: Shape | None = None) -> Inferred:
    """The network that weights without a configuration belong to.

    Parameters
    ----------
    contents : Contents
    input_shape : tuple, optional
        ``(height, width, channels)``; by default ``(224, 224, 3)`` with a classifier, otherwise
        any size.

    Raises
    ------
    ModelFileError
        If no MobileNet is among the layers, or others are whose place cannot be told.
    """
    backbone = recognise(contents.layers, ordered=contents.ordered)
    if backbone is None:
        names = [repr("/".join(layer.path or layer.keys)) for layer in contents.layers]
        raise ModelFileError(
            "weights without a configuration, and no MobileNet V1 or V2 among the "
            f"{len(names)} layers: {first_few(names)}"
        )
    used = {id(layer) for layer in backbone.assignment().values()}
    rest = [layer for layer in contents.layers if id(layer) not in used]
    bare = replace(backbone, classifier=None).network((None, None, backbone.channels))
    taken = [node.name for node in bare]
    head = infer_head(rest, backbone.features, taken, ordered=contents.ordered)
    if head.after and backbone.classifier:
        raise ModelFileError(
            f"layers {', '.join(repr(name) for name in head.layers)} beside a classifier; their "
            "place is only known from a model saved whole"
        )
    shape, assumptions = _shape(backbone, head, input_shape)
    if backbone.classifier:
        assumptions.append("the classifier has activation softmax")
    return Inferred(
        surrounded(backbone.network(shape), head.before).followed_by(*head.after),
        {**backbone.assignment(), **head.layers},
        backbone,
        (*assumptions, *head.assumptions),
    )


def _shape(backbone: Backbone, head: Head, input_shape: Shape | None) -> tuple[Shape, list[str]]:
    """The input shape, and what was assumed."""
    if input_shape is not None:
        if len(input_shape) != 3 or input_shape[-1] != backbone.channels:
            raise ModelFileError(
                f"input_shape is {input_shape}; the file has a network of {backbone.channels} "
                "channels"
            )
        return input_shape, []
    if not backbone.classifier and not head.after:
        return (None, None, backbone.channels), []
    side = head.resolution or _RESOLUTION
    return (side, side, backbone.channels), [f"images have {side} x {side} pixels"]


def surrounded(network: Network, before: Sequence[Layer]) -> Network:
    """A network with layers between its input and what reads it."""
    first, *rest = network.nodes
    nodes = [first]
    for layer in before:
        nodes.append(Node(layer, (nodes[-1].name,)))
    for node in rest:
        entry = nodes[len(before)].name
        sources = tuple(entry if name == first.name else name for name in node.inputs)
        nodes.append(Node(node.layer, sources))
    return replace(network, nodes=tuple(nodes))
