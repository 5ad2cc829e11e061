"""Recognising a MobileNet in a graph by what its layers compute, whatever they are called.

The tables of V1 and V2 are followed from the first convolution on, as far as the graph goes along:
a network may be cut anywhere, and have any head. What keras.applications changed over the years,
padding inside a convolution or before it, makes no difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from npmobilenet.architecture import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Identity,
    Layer,
    Network,
    Node,
    ReLU,
    ZeroPadding2D,
    make_divisible,
    mobilenet_v1,
    mobilenet_v2,
    v1,
    v2,
)
from npmobilenet.architecture.shapes import Shape, channels
from npmobilenet.formats.backbone import HUNDREDTHS, PUBLISHED, V1, V2

LEAST_BLOCKS = 3
"""Depthwise convolutions that must be those of a table: fewer, a network could have by chance."""

_TRANSPARENT = (Dropout, Identity, ZeroPadding2D)


@dataclass(frozen=True)
class Structure:
    """A MobileNet that a graph begins like.

    Parameters
    ----------
    kind : {"mobilenet", "mobilenet_v2"}
    alpha : float
    depth_multiplier : int
    blocks : int
        Depthwise convolutions that are those of the table.
    """

    kind: str
    alpha: float
    depth_multiplier: int
    blocks: int


def structure_behind(network: Network, image: str, alpha: float | None = None) -> Structure | None:
    """The MobileNet that reads the output of one layer, or ``None``.

    Parameters
    ----------
    network : Network
    image : str
        Name of the layer that gives the images, scaled or not.
    alpha : float, optional
        A width to try beside the published ones and hundredths.
    """
    graph = _Graph(network)
    layers = [node.layer for node in graph.readers(image)]
    stems = {layer.filters for layer in layers if isinstance(layer, Conv2D)}
    depthwise = [node.layer for node in network if isinstance(node.layer, DepthwiseConv2D)]
    multipliers = sorted({layer.depth_multiplier for layer in depthwise})
    shape = (None, None, channels(network.shapes[image]))
    best: Structure | None = None
    widths = HUNDREDTHS if alpha is None else (*HUNDREDTHS, alpha)
    for kind, width, multiplier in _candidates(stems, multipliers, widths):
        blocks = _blocks_along(_table(kind, width, multiplier, shape), graph, image)
        if blocks >= LEAST_BLOCKS and (best is None or blocks > best.blocks):
            best = Structure(kind, width, multiplier, blocks)
    return best


def _candidates(
    stems: set[int], multipliers: list[int], widths: tuple[float, ...]
) -> Iterator[tuple[str, float, int]]:
    """Networks whose first convolution has one of these widths.

    Published ones come first: of equally good ones the first is taken.
    """
    for alpha in dict.fromkeys((*PUBLISHED[V1], *widths)):
        if int(v1.STEM_FILTERS * alpha) in stems:
            for multiplier in multipliers:
                yield V1, alpha, multiplier
    for alpha in dict.fromkeys((*PUBLISHED[V2], *widths)):
        if make_divisible(v2.STEM_FILTERS * alpha) in stems:
            yield V2, alpha, 1


def _table(kind: str, alpha: float, multiplier: int, shape: Shape) -> Network:
    if kind == V2:
        return mobilenet_v2(shape, alpha, include_top=False)
    return mobilenet_v1(shape, alpha, multiplier, include_top=False)


class _Graph:
    """Who reads whom in a network, where layers that leave the values as they are do not count."""

    def __init__(self, network: Network) -> None:
        self._given: dict[str, str] = {}
        self._readers: dict[str, list[Node]] = {}
        for node in network:
            if isinstance(node.layer, _TRANSPARENT):
                self._given[node.name] = self.origin(node.inputs[0])
            else:
                for source in dict.fromkeys(self.sources(node)):
                    self._readers.setdefault(source, []).append(node)

    def origin(self, name: str) -> str:
        """The layer whose values this one gives on."""
        return self._given.get(name, name)

    def sources(self, node: Node) -> list[str]:
        """What a layer reads."""
        return [self.origin(name) for name in node.inputs]

    def readers(self, name: str) -> list[Node]:
        """The layers that read what this one gives."""
        return self._readers.get(self.origin(name), [])


def _blocks_along(table: Network, graph: _Graph, image: str) -> int:
    """Depthwise convolutions of a table up to where the graph ends or differs."""
    first, *rest = table
    pairs = {first.name: graph.origin(image)}
    blocks = 0
    for node in rest:
        sources = [pairs[name] for name in node.inputs]
        if isinstance(node.layer, _TRANSPARENT):
            pairs[node.name] = sources[0]
            continue
        found = next(
            (
                reader
                for reader in graph.readers(sources[0])
                if _alike(node.layer, reader.layer) and set(graph.sources(reader)) == set(sources)
            ),
            None,
        )
        if found is None:
            break
        pairs[node.name] = found.name
        blocks += isinstance(node.layer, DepthwiseConv2D)
    return blocks


def _alike(layer: Layer, other: Layer) -> bool:
    """Whether a layer of the table and one of a graph compute the same but for epsilon."""
    if isinstance(layer, ReLU) and isinstance(other, Activation):
        return other.activation == "relu6"
    if isinstance(layer, BatchNormalization):
        return isinstance(other, BatchNormalization)
    if isinstance(layer, Conv2D | DepthwiseConv2D) and type(other) is type(layer):
        other = replace(other, padding=layer.padding)
    return replace(layer, name=other.name) == other
