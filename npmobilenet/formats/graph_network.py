"""The network of a frozen graph: a MobileNet, what comes before it and what the output makes of it.

The graph is followed back from its output: one that was retrained has classes of its own behind
those of the MobileNet, or behind its features. Every step on the way is read or refused by name.
"""

from collections.abc import Sequence
from dataclasses import replace

from npmobilenet.architecture import (
    Activation,
    Dense,
    GlobalAveragePooling2D,
    Layer,
    Network,
    Shape,
)
from npmobilenet.architecture.heads import logits
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.backbone import Backbone, recognise
from npmobilenet.formats.contents import Contents, RawLayer
from npmobilenet.formats.graph_backbone import GraphBackbone
from npmobilenet.formats.graph_ends import Matrix, Tail, read_beginning, read_tail
from npmobilenet.formats.graph_flow import Flow
from npmobilenet.formats.graphdef import FrozenGraph
from npmobilenet.formats.inference import Inferred, infer_network, surrounded
from npmobilenet.formats.matching import first_few
from npmobilenet.formats.messages import shown

_STRIDE = 32  # pixels of the input for one of the last feature map
_SIDE = 224
_BACKGROUND = "classes are those of TF-Slim, where class 0 is the background"
_PADDING = "strided layers are padded as Keras does, which differs from SAME for odd sizes"


def graph_network(
    contents: Contents, graph: FrozenGraph, input_shape: Shape | None = None
) -> Inferred:
    """The network of a frozen graph with a MobileNet of TF-Slim.

    Parameters
    ----------
    contents : Contents
        With the MobileNet's layers.
    graph : FrozenGraph
    input_shape : tuple, optional
        ``(height, width, channels)``, in place of what the graph says.

    Raises
    ------
    ModelFileError
        If no MobileNet is among the layers, or the graph has a step that is not supported.
    """
    flow = Flow(graph)
    backbone = recognise(contents.layers, ordered=False)
    if backbone is None or not any(step.sources for step in flow.steps.values()):
        inferred = infer_network(contents, input_shape)
        said = ("the graph has no operations, only constants", _BACKGROUND, _PADDING)
        return replace(inferred, assumptions=(*said, *inferred.assumptions))
    bare = replace(backbone, classifier=None)
    body = GraphBackbone(flow, bare.network((None, None, backbone.channels)))
    outputs = flow.outputs(body.last)
    if len(outputs) != 1:
        names = ", ".join(sorted(shown(step.name) for step in outputs)[:3])
        raise ModelFileError(f"the graph has {len(outputs)} outputs ({names}), expected one")
    before, declared = read_beginning(flow, graph, body.first)
    tail = read_tail(flow, graph, outputs[0].name, body.last)
    shape, notes = _shape(backbone.channels, declared, tail, input_shape)
    if tail.items and isinstance(tail.items[0], Matrix) and tail.items[0].slim:
        found = _with_top(backbone, shape, tail.items)
    else:
        network = bare.network(shape)
        if tail.pooled:
            network = network.followed_by(GlobalAveragePooling2D(name="global_average_pooling2d"))
        found = _followed(bare, network, tail.items)
    spare = sorted(flow.steps.keys() - flow.needed(outputs[0].name))
    if spare:
        notes.append(f"nodes that the output does not depend on: {first_few(spare)}")
    return replace(
        found,
        network=surrounded(found.network, before),
        assumptions=(*notes, *found.assumptions),
    )


def _shape(
    channels: int, declared: Shape | None, tail: Tail, given: Shape | None
) -> tuple[Shape, list[str]]:
    """The input shape, and what is to be said about it."""
    shape: Shape = (None, None, channels)
    notes = []
    if given is not None:
        shape = given
    elif declared is not None and len(declared) == 3 and None not in declared:
        shape = declared
    elif tail.pooled:
        side = _STRIDE * tail.window if tail.window else _SIDE
        shape = (side, side, channels)
        notes.append(f"images have {side} x {side} pixels")
    if len(shape) != 3 or shape[2] != channels:
        raise ModelFileError(
            f"the shape of images is {shape}; the graph has a network of {channels} channels"
        )
    sides = shape[:2]
    if tail.window and any(side != _STRIDE * tail.window for side in sides):
        raise ModelFileError(
            f"the graph averages over {tail.window} x {tail.window} features, which is all of them "
            f"only for images of {_STRIDE * tail.window} pixels a side, not for {sides}"
        )
    if any(side is None or side % _STRIDE for side in sides):
        notes.append(_PADDING)
    return shape, notes


def _with_top(backbone: Backbone, shape: Shape, items: Sequence[Matrix | str]) -> Inferred:
    """The MobileNet with its own classes, and what comes behind them."""
    if backbone.classifier is None:
        raise ModelFileError("the classifier of the MobileNet has not its usual shape")
    network, rest = backbone.network(shape), items[1:]
    if rest and rest[0] == "softmax":
        rest = rest[1:]
    else:
        network = logits(network)
    found = _followed(backbone, network, rest)
    return found if rest else replace(found, assumptions=(_BACKGROUND,))


def _followed(backbone: Backbone, network: Network, items: Sequence[Matrix | str]) -> Inferred:
    """A network with further layers behind it."""
    taken = {node.name for node in network}
    more: list[Layer] = []
    layers: dict[str, RawLayer] = dict(backbone.assignment())
    for item in items:
        if isinstance(item, str):
            more.append(Activation(name=_unique(item, taken), activation=item))
            continue
        name = _unique(item.name, taken)
        tensors = {"kernel": item.kernel}
        if item.bias is not None:
            tensors["bias"] = item.bias
        layers[name] = RawLayer((name,), (), tensors)
        units = item.kernel.shape[-1]
        more.append(Dense(name=name, units=units, use_bias=item.bias is not None))
    return Inferred(network.followed_by(*more) if more else network, layers, backbone, ())


def _unique(name: str, taken: set[str]) -> str:
    number, found = 0, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
