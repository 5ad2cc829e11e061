"""What a network costs: arithmetic, parameters, traffic and memory, for each stage and in total.

Conventions, all for one sample:

- 1 MAC is a multiplication and an addition (:mod:`npmobilenet.architecture.macs`); 1 MAC = 2 FLOP.
- Other operations as :mod:`npmobilenet.analysis.operations` counts them. They are no part of the
  FLOPs, but arithmetic intensity is FLOPs and other operations for each byte.
- Traffic is the least there can be: a stage reads each input and each of its weights once and
  writes its output once. What a cache holds between stages is not considered.
- Parameters are the variables of the file. Weights read are the same, except where batch norm is
  folded into the kernel in front of it (any fusing): then the kernel and one bias are read.
- Memory as :mod:`npmobilenet.analysis.memory` says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from npmobilenet.analysis.memory import largest_tensor, live_values
from npmobilenet.analysis.operations import other_operations
from npmobilenet.analysis.stages import Fusing, Stage, is_view, stages
from npmobilenet.architecture import (
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Network,
    Node,
    SeparableConv2D,
    Shape,
    network_macs,
)
from npmobilenet.architecture.shapes import count


@dataclass(frozen=True)
class LayerCost:
    """One stage: a layer, or the layers fused into it."""

    name: str
    """Of the layer that does the work: the last with a kernel, else the first."""
    type: str
    layers: tuple[str, ...]
    output_shape: Shape
    macs: int
    operations: int
    """Other than multiply-adds."""
    parameters: int
    batch_norm_parameters: int
    """Those of ``parameters`` that belong to batch norm: four for each channel."""
    weight_bytes: int
    """Read as weights."""
    read_bytes: int
    """Read as activations."""
    written_bytes: int
    live_bytes: int
    """Activations alive while the stage runs."""

    @property
    def flops(self) -> int:
        """Two for each MAC."""
        return 2 * self.macs

    @property
    def parameters_without_batch_norm(self) -> int:
        """Kernels and biases."""
        return self.parameters - self.batch_norm_parameters

    @property
    def bytes(self) -> int:
        """Everything read and written."""
        return self.weight_bytes + self.read_bytes + self.written_bytes

    @property
    def intensity(self) -> float:
        """Arithmetic intensity, all operations for each byte; 0 where nothing moves."""
        return (self.flops + self.operations) / self.bytes if self.bytes else 0.0


@dataclass(frozen=True)
class Cost:
    """A network's stages in running order; what is a sum or a maximum over them is a property."""

    network: str
    input_shape: Shape
    fusing: Fusing
    bytes_per_value: int
    layers: tuple[LayerCost, ...]
    largest_tensor: str
    largest_tensor_bytes: int

    @property
    def macs(self) -> int:
        """Multiply-adds of all layers."""
        return sum(layer.macs for layer in self.layers)

    @property
    def operations(self) -> int:
        """Operations other than multiply-adds."""
        return sum(layer.operations for layer in self.layers)

    @property
    def flops(self) -> int:
        """Two for each MAC."""
        return 2 * self.macs

    @property
    def parameters(self) -> int:
        """All variables of a file, moving statistics included."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def parameters_without_batch_norm(self) -> int:
        """Kernels and biases: what the papers count."""
        return sum(layer.parameters_without_batch_norm for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Read as weights."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def read_bytes(self) -> int:
        """Read as activations."""
        return sum(layer.read_bytes for layer in self.layers)

    @property
    def written_bytes(self) -> int:
        """Written as activations."""
        return sum(layer.written_bytes for layer in self.layers)

    @property
    def bytes(self) -> int:
        """Everything read and written."""
        return self.weight_bytes + self.read_bytes + self.written_bytes

    @property
    def intensity(self) -> float:
        """All operations for each byte of the whole network; 0 where nothing moves."""
        return (self.flops + self.operations) / self.bytes if self.bytes else 0.0

    @property
    def peak_bytes(self) -> int:
        """Most activation memory alive at once."""
        return max((layer.live_bytes for layer in self.layers), default=0)

    @property
    def peak_layer(self) -> str:
        """The first stage at which memory peaks; empty for a network without layers."""
        return max(self.layers, key=lambda layer: layer.live_bytes).name if self.layers else ""


def cost(network: Network, *, fusing: Fusing = "none", bytes_per_value: int = 4) -> Cost:
    """Count a network.

    Parameters
    ----------
    network : Network
        Its height and width must be known: see :meth:`Network.with_input_shape`.
    fusing : {"none", "convolutions", "blocks"}
        What runs as one: see :mod:`npmobilenet.analysis.stages`.
    bytes_per_value : int
        Of weights and activations alike: 4 for float32, 2 for float16, 1 for int8.

    Raises
    ------
    ValueError
        If a size is not known, or an argument makes no sense.
    """
    if bytes_per_value < 1:
        raise ValueError(f"bytes_per_value must be at least 1, found {bytes_per_value}")
    if None in network.input_shape:
        raise ValueError(
            f"network {network.name!r} takes any input size, and its cost depends on it: give one "
            f"(--input, or Network.with_input_shape); its input shape is {network.input_shape}"
        )
    found = stages(network, fusing)
    largest, values = largest_tensor(network, found)
    return Cost(
        network=network.name,
        input_shape=network.input_shape,
        fusing=fusing,
        bytes_per_value=bytes_per_value,
        layers=stage_costs(network, found, bytes_per_value),
        largest_tensor=largest,
        largest_tensor_bytes=values * bytes_per_value,
    )


def stage_costs(
    network: Network, found: Sequence[Stage], bytes_per_value: int = 4
) -> tuple[LayerCost, ...]:
    """What each of some stages costs, which together are the network, in running order."""
    macs = network_macs(network)
    return tuple(
        _layer_cost(network, stage, macs, alive, bytes_per_value)
        for stage, alive in zip(found, live_values(network, found), strict=True)
    )


def _layer_cost(
    network: Network, stage: Stage, macs: dict[str, int], alive: int, bytes_per_value: int
) -> LayerCost:
    folded = _folded(stage)
    sizes = {node.name: _variable_values(network, node) for node in stage.nodes}
    normalized = sum(
        sizes[node.name] for node in stage.nodes if isinstance(node.layer, BatchNormalization)
    )
    operations = weights = 0
    for node in stage.nodes:
        if node.name in folded:
            # What is left of it is a bias, unless the layer in front has one to take it up.
            shape = network.shapes[node.name]
            bias = 0 if folded[node.name] else 1
            operations += bias * count(shape)
            weights += bias * count(shape[-1:])
        else:
            inputs = (network.shapes[source] for source in node.inputs)
            operations += other_operations(node.layer, *inputs)
            weights += sizes[node.name]
    moves = not all(is_view(node.layer) for node in stage.nodes)
    read = sum(count(network.shapes[source]) for source in stage.inputs) if moves else 0
    written = count(network.shapes[stage.output]) if moves else 0
    return LayerCost(
        name=stage.main.name,
        type=type(stage.main.layer).__name__,
        layers=tuple(node.name for node in stage.nodes),
        output_shape=network.shapes[stage.output],
        macs=sum(macs[node.name] for node in stage.nodes),
        operations=operations,
        parameters=sum(sizes.values()),
        batch_norm_parameters=normalized,
        weight_bytes=weights * bytes_per_value,
        read_bytes=read * bytes_per_value,
        written_bytes=written * bytes_per_value,
        live_bytes=alive * bytes_per_value,
    )


def _variable_values(network: Network, node: Node) -> int:
    return sum(math.prod(shape) for shape in network.layer_variables(node.name).values())


def _folded(stage: Stage) -> dict[str, bool]:
    """Batch norms that go into the kernel in front of them; whether that has a bias already."""
    by_name = {node.name: node.layer for node in stage.nodes}
    found = {}
    for node in stage.nodes:
        before = by_name.get(node.inputs[0])
        if (
            isinstance(node.layer, BatchNormalization)
            and isinstance(before, Conv2D | Dense | DepthwiseConv2D | SeparableConv2D)
            and before.activation == "linear"
        ):
            found[node.name] = before.use_bias
    return found
