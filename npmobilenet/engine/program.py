"""The fast program: compiled wherever there are kernels, the reference for any other layer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Input, Layer, Network, Node
from npmobilenet.counts import whole_number
from npmobilenet.engine.compiled import CompiledNetwork
from npmobilenet.engine.crew import default_threads, usable_cores
from npmobilenet.engine.fold import UnsupportedError, fold
from npmobilenet.engine.pieces import Piece
from npmobilenet.interpreter import run_layer
from npmobilenet.program import Program, check_batch, own_weights
from npmobilenet.reference import FloatArray

Float32 = NDArray[np.float32]

_MOST_QUEUES = 16  # that work is shared out to, where there are not more cores


class Activations(dict[str, FloatArray]):
    """Outputs of layers by name.

    ``fused`` maps the layers that have none to the layer in which they are computed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fused: dict[str, str] = {}


@dataclass(frozen=True)
class _Compiled:
    """A part of the network between one value and another."""

    source: str
    target: str
    network: CompiledNetwork


@dataclass(frozen=True)
class _Interpreted:
    """A layer that has no kernel."""

    layer: Layer
    inputs: tuple[str, ...]
    variables: Mapping[str, Float32]


class NumbaProgram(Program):
    """A network with its weights, run in float32 by compiled kernels.

    Values do not depend on the number of threads or on the other images of a batch, to the bit.
    The first program of a process loads the kernels from a cache on disk; the first ever on a
    machine compiles them.

    A copy, and what comes out of a pickle, is a program of its own; a pickle holds the network and
    its weights, and nothing that depends on the machine.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array
        Every variable by its canonical name, ``"conv1/kernel"``; they are copied.
    fused : bool
        Whether blocks run as one kernel; if not, each layer with weights runs by itself, together
        with its batch norm and activation.

    Raises
    ------
    WeightsMismatchError
        If a variable is missing or has another shape.
    """

    def __init__(
        self, network: Network, weights: Mapping[str, NDArray[Any]], *, fused: bool = True
    ) -> None:
        self._network = network
        self._weights = own_weights(network, weights)
        self._fused = fused
        self._parts = _parts(network, self._weights, fused)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return partial(type(self), fused=self._fused), (self._network, self._weights)

    @property
    def network(self) -> Network:
        """The network that runs."""
        return self._network

    def __call__(self, x: FloatArray, threads: int | None = None) -> Float32:
        """The network's output for a batch.

        Parameters
        ----------
        x : array (N, *network.input_shape), float32 or float64
            float64 is rounded to float32.
        threads : int, optional
            By default the value of the environment variable ``NPMOBILENET_NUM_THREADS``, or one
            for each core that the process may use. More threads than cores do not work at a time.

        Returns
        -------
        array (N, *network.output_shape), float32

        Raises
        ------
        ValueError
            If the shape or the dtype is another, or ``threads`` is below 1.
        """
        x = self._checked(x)
        threads = _checked(threads)
        values = {self._network.nodes[0].name: np.ascontiguousarray(x, np.float32)}
        for part in self._parts:
            if isinstance(part, _Compiled):
                values[part.target] = part.network(values[part.source], threads)
            else:
                values[part.layer.name] = _interpret(part, values)
        return values[self._network.nodes[-1].name]

    def activations(self, x: FloatArray, threads: int | None = None) -> Activations:
        """The outputs that the kernels store, by the layer's name, in running order.

        The result's ``fused`` says of each other layer in which one it is computed. Parameters
        and errors as in :meth:`__call__`.
        """
        x = self._checked(x)
        threads = _checked(threads)
        if not len(x):  # shapes are those of one image, of which no value is kept
            return _none_of(self.activations(np.zeros((1, *x.shape[1:]), np.float32), threads))
        values = Activations()
        values[self._network.nodes[0].name] = np.ascontiguousarray(x, np.float32)
        for part in self._parts:
            if isinstance(part, _Compiled):
                for layers, value in part.network.activations(values[part.source], threads):
                    values[layers[-1]] = value
                    values.fused |= dict.fromkeys(layers[:-1], layers[-1])
            else:
                values[part.layer.name] = _interpret(part, values)
        return self._in_running_order(values)

    def _in_running_order(self, values: Activations) -> Activations:
        ordered = Activations()
        ordered.fused = values.fused
        for node in self._network:
            name = node.name
            if name in values:
                ordered[name] = values[name]
            elif name not in values.fused:  # no step has it: it is the input under another name
                before = ordered[node.inputs[0]]
                ordered[name] = before.reshape(len(before), *self._network.shapes[name])
        return ordered

    def pieces(self, x: FloatArray, threads: int | None = None) -> tuple[list[Piece], Float32]:
        """The program for one image in parts, and the output, to which the last part writes.

        Called in order they do what one call does; each has been called once already.
        Parameters and errors as in :meth:`__call__`; also an error if ``x`` is not one image.
        """
        x = self._checked(x)
        if len(x) != 1:
            raise ValueError(f"pieces are for one image, found a batch of {len(x)}")
        threads = _checked(threads)
        values = {self._network.nodes[0].name: np.ascontiguousarray(x, np.float32)}
        pieces: list[Piece] = []
        for part in self._parts:
            if isinstance(part, _Compiled):
                new, values[part.target] = part.network.pieces(values[part.source], threads)
                for piece in new:
                    piece.call()
            else:
                new = [Piece((part.layer.name,), partial(_interpret, part, dict(values)))]
                values[part.layer.name] = _interpret(part, values)
            pieces += new
        return pieces, values[self._network.nodes[-1].name]

    def _checked(self, x: FloatArray) -> FloatArray:
        """A view: another thread may give an array another shape or dtype in place."""
        x = x[...]
        check_batch(self._network, x)
        return x


def _checked(threads: int | None) -> int:
    if threads is None:
        return default_threads()
    threads = whole_number(threads, "threads")
    return threads if threads <= _MOST_QUEUES else min(threads, max(_MOST_QUEUES, usable_cores()))


def _none_of(values: Activations) -> Activations:
    empty = Activations()
    empty.update({name: value[:0] for name, value in values.items()})
    empty.fused = values.fused
    return empty


def _interpret(part: _Interpreted, values: Mapping[str, FloatArray]) -> Float32:
    output = run_layer(part.layer, part.variables, *(values[name] for name in part.inputs))
    return np.ascontiguousarray(output, np.float32)


def _parts(
    network: Network, weights: Mapping[str, NDArray[Any]], fused: bool
) -> list[_Compiled | _Interpreted]:
    """Cut the network where a layer has no kernel, or where a cut would cross a residual."""
    refused: set[str] = set()
    while True:
        runs = _runs(network, refused)
        before = len(refused)
        for run in runs:
            piece = _piece(network, run)
            if piece is None:
                refused.update(node.name for node in run)
                continue
            try:
                if not fold(piece, weights):
                    refused.update(node.name for node in run)
            except UnsupportedError as error:
                refused.add(error.name)
        if len(refused) == before:
            break
    compiled = {run[0].name: run for run in runs}
    parts: list[_Compiled | _Interpreted] = []
    for node in list(network)[1:]:
        if node.name in refused:
            variables = {
                name: np.array(weights[f"{node.name}/{name}"], np.float32)
                for name in network.layer_variables(node.name)
            }
            parts.append(_Interpreted(node.layer, node.inputs, variables))
        elif node.name in compiled:
            piece = _piece(network, compiled[node.name])
            assert piece is not None  # noqa: S101
            source, target = piece.nodes[0].name, piece.nodes[-1].name
            parts.append(_Compiled(source, target, CompiledNetwork(piece, weights, fused=fused)))
    return parts


def _runs(network: Network, refused: set[str]) -> list[list[Node]]:
    """Nodes that follow each other without a refused one among them."""
    runs: list[list[Node]] = [[]]
    for node in list(network)[1:]:
        if node.name in refused:
            runs.append([])
        else:
            runs[-1].append(node)
    return [run for run in runs if run]


def _piece(network: Network, run: list[Node]) -> Network | None:
    """The run as a network, if one value goes in and only the last comes out."""
    inside = {node.name for node in run}
    entering = {source for node in run for source in node.inputs} - inside
    leaving = {
        source for node in network if node.name not in inside for source in node.inputs
    } & inside
    if len(entering) != 1 or leaving - {run[-1].name}:
        return None
    (source,) = entering
    first = Node(Input(name=source, shape=network.shapes[source]), ())
    return Network(network.name, (first, *run))
