"""What an image passes through in a frozen graph: operations with their data and their constants.

A graph of TensorFlow has a node for each constant, each reading of one, each step of a batch norm.
Here only those remain that the image goes through; the others are what they are computed with.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from npmobilenet.errors import ModelFileError
from npmobilenet.formats.graphdef import FrozenGraph, GraphNode
from npmobilenet.formats.messages import shown

INPUTS = ("Placeholder", "PlaceholderV2")

_PASSING = frozenset({"Identity", "PlaceholderWithDefault", "StopGradient"})
_CONSTANT = frozenset({"Add", "AddV2", "Identity", "Mul", "Rsqrt", "Sub"})


@dataclass(frozen=True)
class Step:
    """An operation that an image passes through.

    Parameters
    ----------
    node : GraphNode
    sources : tuple of str
        Steps that it reads, in order.
    constants : tuple of frozenset
        For each other argument, in order: the constants that it is computed from.
    first : bool
        Whether data come before all other arguments.
    """

    node: GraphNode
    sources: tuple[str, ...]
    constants: tuple[frozenset[str], ...]
    first: bool

    @property
    def name(self) -> str:
        """Of the node."""
        return self.node.name

    @property
    def op(self) -> str:
        """TensorFlow's name of the operation."""
        return self.node.op

    def __str__(self) -> str:
        return f"node {shown(self.name)} ({shown(self.op)})"


class Flow:
    """The steps of a graph, each behind those that it reads.

    Raises
    ------
    ModelFileError
        If nodes read each other in a circle, or a node that is not there.
    """

    def __init__(self, graph: FrozenGraph) -> None:
        self.steps: dict[str, Step] = {}
        self._places: dict[str, str] = {}  # the step whose value a node has
        self._constants: dict[str, frozenset[str]] = {}
        for node in _running_order(graph):
            self._add(node)
        self.readers: dict[str, list[Step]] = {name: [] for name in self.steps}
        for step in self.steps.values():
            for source in dict.fromkeys(step.sources):
                self.readers[source].append(step)

    def outputs(self, start: str) -> list[Step]:
        """The steps that depend on ``start`` and that no step reads."""
        found, waiting, seen = [], [start], {start}
        while waiting:
            step = self.steps[waiting.pop()]
            after = self.readers[step.name]
            if not after:
                found.append(step)
            for reader in after:
                if reader.name not in seen:
                    seen.add(reader.name)
                    waiting.append(reader.name)
        return found

    def needed(self, output: str) -> set[str]:
        """The steps that a step depends on, itself among them."""
        found, waiting = {output}, [output]
        while waiting:
            for source in self.steps[waiting.pop()].sources:
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return found

    def _add(self, node: GraphNode) -> None:
        if node.op == "Const":
            self._constants[node.name] = frozenset({node.name})
            return
        data = [name for name in node.inputs if name.partition(":")[0] in self._places]
        if node.op in INPUTS:
            self._keep(Step(node, (), (), first=True))
        elif not data:
            # An operation on nothing but constants. Any other kind is refused where it is used.
            leaves = [self._constants[name] for name in node.inputs if name in self._constants]
            known = node.op in _CONSTANT and len(leaves) == len(node.inputs)
            own = frozenset() if known else frozenset({node.name})
            # A batch norm's has seven; more means nothing.
            merged = own.union(*leaves)
            self._constants[node.name] = merged if len(merged) <= 16 else frozenset({node.name})
        elif node.op in _PASSING and len(node.inputs) == 1:
            self._places[node.name] = self._source(node, data[0])
        else:
            sources = tuple(self._source(node, name) for name in data)
            others = [name for name in node.inputs if name not in data]
            constants = tuple(self._constants.get(name, frozenset({name})) for name in others)
            self._keep(Step(node, sources, constants, first=node.inputs[0] in data))

    def _keep(self, step: Step) -> None:
        self.steps[step.name] = step
        self._places[step.name] = step.name

    def _source(self, node: GraphNode, name: str) -> str:
        if name not in self._places:
            raise ModelFileError(
                f"node {shown(node.name)} reads {shown(name)}, expected the first output of a node"
            )
        return self._places[name]


def _running_order(graph: FrozenGraph) -> Iterator[GraphNode]:
    """All nodes, each behind those that it reads."""
    done: set[str] = set()
    for first in graph.nodes:
        if first in done:
            continue
        waiting = [(first, _reads(graph.nodes[first]))]
        entered = {first}
        while waiting:
            name, reads = waiting[-1]
            following = next((read for read in reads if read not in done), None)
            if following is None:
                waiting.pop()
                done.add(name)
                yield graph.nodes[name]
            elif following not in graph.nodes:
                raise ModelFileError(
                    f"node {shown(name)} reads {shown(following)}, which is not in the graph"
                )
            elif following in entered:
                raise ModelFileError(f"nodes of the graph read each other at {shown(following)}")
            else:
                entered.add(following)
                waiting.append((following, _reads(graph.nodes[following])))


def _reads(node: GraphNode) -> Iterator[str]:
    return iter([name.partition(":")[0] for name in node.inputs])
