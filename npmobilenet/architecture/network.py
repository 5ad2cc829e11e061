"""A network is a list of named nodes in the order in which they run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from npmobilenet.architecture.layers import Input, Layer, Variables
from npmobilenet.architecture.shapes import Shape
from npmobilenet.lazy import lazy


@dataclass(frozen=True)
class Node:
    """A layer and the names of the nodes that feed it."""

    layer: Layer
    inputs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.layer.name


@dataclass(frozen=True)
class Network:
    """A feed-forward graph with one input and one output.

    Parameters
    ----------
    name : str
        As Keras would call the model, ``"mobilenet_1.00_224"``.
    nodes : tuple of Node
        In running order: the first is the :class:`Input`, the last gives the output.
    input_range : tuple of float, optional
        Smallest and largest value that a prepared image may have; ``None`` if unknown.

    Raises
    ------
    ValueError
        If a name occurs twice, an input is not defined before it is used, or a shape does not fit.
    """

    name: str
    nodes: tuple[Node, ...]
    input_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.nodes or not isinstance(self.nodes[0].layer, Input):
            raise ValueError(f"network {self.name!r} must begin with an Input")
        seen: set[str] = set()
        for node in self.nodes:
            if node.name in seen:
                raise ValueError(f"network {self.name!r} has two layers named {node.name!r}")
            for source in node.inputs:
                if source not in seen:
                    raise ValueError(
                        f"layer {node.name!r} reads {source!r}, which is not before it"
                    )
            arity = node.layer.ARITY
            if len(node.inputs) != arity and not (arity is None and len(node.inputs) > 1):
                raise ValueError(f"layer {node.name!r} has {len(node.inputs)} inputs")
            seen.add(node.name)
        self.shapes  # noqa: B018  -- a network whose shapes do not fit never exists

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @lazy
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def input_shape(self) -> Shape:
        """Shape of one input sample, ``None`` where any size will do."""
        return self.nodes[0].layer.output_shape()

    @property
    def output_shape(self) -> Shape:
        """Shape of one output sample."""
        return self.shapes[self.nodes[-1].name]

    @lazy
    def shapes(self) -> dict[str, Shape]:
        """The output shape of one sample at every node."""
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            shapes[node.name] = node.layer.output_shape(*(shapes[name] for name in node.inputs))
        return shapes

    def layer_variables(self, name: str) -> Variables:
        """Variables of one layer: short name and shape, in Keras' order."""
        node = self[name]
        return node.layer.variables(*(self.shapes[source] for source in node.inputs))

    @lazy
    def variables(self) -> Variables:
        """Every variable as ``"layer/variable"`` with its shape, in running order."""
        return {
            f"{node.name}/{variable}": shape
            for node in self.nodes
            for variable, shape in self.layer_variables(node.name).items()
        }

    def until(self, name: str) -> "Network":
        """The part of this network that the output of layer ``name`` depends on."""
        needed = {name}
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        return replace(self, nodes=tuple(node for node in self.nodes if node.name in needed))

    def followed_by(self, *layers: Layer) -> "Network":
        """The same network with a chain of layers behind its output."""
        nodes = list(self.nodes)
        for layer in layers:
            nodes.append(Node(layer, (nodes[-1].name,)))
        return replace(self, nodes=tuple(nodes))

    def with_input_shape(self, shape: Shape) -> "Network":
        """The same layers over an input of another size."""
        first = replace(self.nodes[0].layer, shape=shape)  # type: ignore[call-arg]
        return replace(self, nodes=(Node(first, ()), *self.nodes[1:]))


class NetworkBuilder:
    """Writes a network down layer by layer; by default each reads the one before it."""

    def __init__(self, input_layer: Input) -> None:
        self._nodes = [Node(input_layer, ())]
        self._shapes = {input_layer.name: input_layer.shape}

    @property
    def last(self) -> str:
        """Name of the layer added last."""
        return self._nodes[-1].name

    @property
    def shape(self) -> Shape:
        """Output shape of the layer added last."""
        return self._shapes[self.last]

    def add(self, layer: Layer, *inputs: str) -> str:
        """Append a layer that reads ``inputs`` (the last layer if none is named)."""
        sources = inputs or (self.last,)
        self._shapes[layer.name] = layer.output_shape(*(self._shapes[name] for name in sources))
        self._nodes.append(Node(layer, sources))
        return layer.name

    def build(self, name: str, input_range: tuple[float, float] | None = None) -> Network:
        """The finished network."""
        return Network(name, tuple(self._nodes), input_range)
