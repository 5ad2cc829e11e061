"""Stages of a network: layers that run as one, so that what is between them is never stored.

Three ways of fusing:

- ``"none"``: every layer alone;
- ``"convolutions"``: a layer with the batch norm and activations behind it, and a convolution
  with the padding in front of it;
- ``"blocks"``: moreover a depthwise convolution with its pointwise one (the separable block of
  V1), and with the expansion in front and the residual sum behind where there are (the inverted
  residual of V2). Such a block touches only its two ends: the rows between them are computed,
  used and forgotten.

Layers are only joined where nobody else reads what is between them.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from npmobilenet.architecture import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    Identity,
    Layer,
    Network,
    Node,
    PReLU,
    ReLU,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
)
from npmobilenet.architecture.activations import facts
from npmobilenet.architecture.layers import Window

Fusing = Literal["none", "convolutions", "blocks"]
FUSINGS: tuple[Fusing, ...] = get_args(Fusing)

_KERNELS = (Conv2D, Dense, DepthwiseConv2D, SeparableConv2D)
_BLOCKS = {
    ("depthwise", "pointwise"): "separable",
    ("pointwise", "depthwise", "pointwise"): "inverted residual",
}


@dataclass(frozen=True)
class Stage:
    """Nodes that run as one, in running order; the last gives the stage's output."""

    nodes: tuple[Node, ...]

    @property
    def main(self) -> Node:
        """The node that does the work: the last one with a kernel, else the first."""
        with_kernel = [node for node in self.nodes if isinstance(node.layer, _KERNELS)]
        return with_kernel[-1] if with_kernel else self.nodes[0]

    @property
    def kind(self) -> str:
        """What the stage is called in the papers, with its window and stride."""
        found = [node.layer for node in self.nodes if isinstance(node.layer, _KERNELS)]
        names = tuple(_kind(layer) for layer in found)
        name = _BLOCKS.get(names) or " + ".join(names) or _kind(self.main.layer)
        for layer in found:
            if isinstance(layer, Window) and layer.kernel_size != (1, 1):
                height, width = layer.kernel_size
                strided = f"/{layer.strides[0]}" if layer.strides != (1, 1) else ""
                return f"{name} {height}x{width}{strided}"
        return name

    @property
    def output(self) -> str:
        """Name of the tensor that the stage gives."""
        return self.nodes[-1].name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tensors that the stage reads, each once."""
        own = {node.name for node in self.nodes}
        sources = [source for node in self.nodes for source in node.inputs]
        return tuple(dict.fromkeys(source for source in sources if source not in own))


def plain_kind(kind: str) -> str:
    """A :attr:`Stage.kind` without window and stride."""
    return " ".join(word for word in kind.split() if not word[0].isdigit())


def _kind(layer: Layer) -> str:
    match layer:
        case Conv2D():
            return "pointwise" if layer.kernel_size == (1, 1) else "standard"
        case DepthwiseConv2D():
            return "depthwise"
        case SeparableConv2D():
            return "separable"
        case Activation():
            return layer.activation
    words = re.findall("[A-Z][a-z]+", type(layer).__name__)
    return " ".join(words).lower()


def stages(network: Network, fusing: Fusing = "none") -> list[Stage]:
    """The stages of a network in running order; the input is none.

    Raises
    ------
    ValueError
        If there is no such way of fusing.
    """
    if fusing not in FUSINGS:
        raise ValueError(f"fusing must be one of {FUSINGS}, found {fusing!r}")
    if fusing == "none":
        return [Stage((node,)) for node in network.nodes[1:]]
    joined = _convolutions(network)
    return joined if fusing == "convolutions" else _blocks(joined)


def is_view(layer: Layer) -> bool:
    """Whether the output of a layer is its input under another name: nothing moves."""
    return isinstance(layer, Dropout | Flatten | Identity | Reshape) or (
        isinstance(layer, Activation) and layer.activation == "linear"
    )


def _convolutions(network: Network) -> list[Stage]:
    readers = [source for node in network for source in node.inputs]
    joined: list[list[Node]] = []
    ending: dict[str, list[Node]] = {}
    for node in network.nodes[1:]:
        source = node.inputs[0]
        stage = ending.get(source)
        if stage and readers.count(source) == 1 and _runs_with(stage[-1].layer, node.layer):
            stage.append(node)
        else:
            stage = [node]
            joined.append(stage)
        ending[node.name] = stage
    return [Stage(tuple(nodes)) for nodes in joined]


def _runs_with(before: Layer, layer: Layer) -> bool:
    if isinstance(before, ZeroPadding2D):
        return isinstance(layer, Window)
    return _is_elementwise(layer) and not is_view(before)


def _is_elementwise(layer: Layer) -> bool:
    return isinstance(layer, BatchNormalization | PReLU | ReLU) or (
        isinstance(layer, Activation) and facts(layer.activation).form in ("rising", "dips")
    )


def _blocks(parts: list[Stage]) -> list[Stage]:
    by_output = {stage.output: stage for stage in parts}
    readers: dict[str, list[Stage]] = {}
    for stage in parts:
        for source in stage.inputs:
            readers.setdefault(source, []).append(stage)

    def reader(stage: Stage) -> Stage | None:
        found = readers.get(stage.output, [])
        return found[0] if len(found) == 1 else None

    block_of: dict[str, Stage] = {}  # by the output of each part
    for stage in parts:
        pointwise = reader(stage)
        if not isinstance(stage.main.layer, DepthwiseConv2D):
            continue
        if pointwise is None or not _is_pointwise(pointwise):
            continue
        members = [stage, pointwise]
        expansion = by_output.get(stage.inputs[0])
        if (
            expansion is not None
            and _is_pointwise(expansion)
            and reader(expansion) is stage
            and expansion.output not in block_of
        ):
            members.insert(0, expansion)
        residual = reader(pointwise)
        if (
            residual is not None
            and isinstance(residual.nodes[0].layer, Add)
            and members[0].inputs[0] in residual.inputs
        ):
            members.append(residual)
        block = Stage(tuple(node for member in members for node in member.nodes))
        block_of.update((member.output, block) for member in members)
    # A block stands where its last part stood: what it reads is there by then.
    return [
        block_of.get(stage.output, stage)
        for stage in parts
        if stage.output not in block_of or block_of[stage.output].output == stage.output
    ]


def _is_pointwise(stage: Stage) -> bool:
    layer = stage.main.layer
    return isinstance(layer, Conv2D) and layer.kernel_size == layer.strides == (1, 1)
