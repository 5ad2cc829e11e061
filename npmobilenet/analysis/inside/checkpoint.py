"""The health of a checkpoint, seen from its weights alone.

Training leaves channels behind that do nothing any more: weight decay shrinks the kernel of a
channel that a ReLU keeps at zero, until its values are 1e-13 and the variance that batch norm saw
is 1e-26. They cost as much as the others, their folded scale is ``gamma / sqrt(epsilon)``, and
values so small are the first to become subnormal numbers, on which processors are slow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.channelwise import layer_variables
from npmobilenet.analysis.inside.ranges import Range, channel_ranges
from npmobilenet.analysis.stages import Stage, stages
from npmobilenet.architecture import (
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Network,
    Node,
    SeparableConv2D,
)
from npmobilenet.program import check_weights
from npmobilenet.reference import FloatArray

SMALL_GAMMA = 1e-3
SMALL_VARIANCE = 1e-6
"""A thousandth of the epsilon that keeps it from being divided by."""
CONSTANT = 1e-6
"""Share of its layer's widest range below which a channel's range is none."""

_SMALLEST_NORMAL = float(np.finfo(np.float32).smallest_normal)
_WITH_KERNEL = (Conv2D, Dense, DepthwiseConv2D, SeparableConv2D)


@dataclass(frozen=True)
class TensorHealth:
    """Unusual numbers of one variable; subnormal means below 1.18e-38, float32's least."""

    name: str
    values: int
    zeros: int
    subnormals: int
    not_finite: int
    smallest: float
    """Magnitude of the smallest finite value that is not 0; 0 if there is none."""
    largest: float
    """Magnitude of the largest finite value."""


@dataclass(frozen=True)
class KernelHealth:
    """One convolution or dense layer with the batch norm and activation behind it."""

    name: str
    layers: tuple[str, ...]
    channels: int
    constant: tuple[int, ...]
    """Output channels that are the same for every picture, up to 1e-6 of the widest range."""
    silent: tuple[int, ...]
    """Those of the constant channels that are 0: whatever reads them may leave them out."""
    norm: str | None
    """The batch norm; what follows is about it, and empty or 0 if there is none."""
    small_gammas: tuple[int, ...]
    """Channels with a gamma below 1e-3."""
    small_variances: tuple[int, ...]
    """Channels with a moving variance below 1e-6."""
    scale_smallest: float
    """Magnitude of the smallest ``gamma / sqrt(variance + epsilon)``: the scale when folded."""
    scale_largest: float


@dataclass(frozen=True)
class CheckpointReport:
    """What :func:`checkpoint_report` finds."""

    network: str
    tensors: tuple[TensorHealth, ...]
    kernels: tuple[KernelHealth, ...]

    @property
    def subnormals(self) -> int:
        """Subnormal values of all variables."""
        return sum(tensor.subnormals for tensor in self.tensors)

    @property
    def not_finite(self) -> int:
        """NaN and infinite values of all variables."""
        return sum(tensor.not_finite for tensor in self.tensors)

    @property
    def constant(self) -> int:
        """Channels of all layers that no picture changes."""
        return sum(len(kernel.constant) for kernel in self.kernels)

    @property
    def silent(self) -> int:
        """Channels of all layers that are 0 for every picture."""
        return sum(len(kernel.silent) for kernel in self.kernels)


def checkpoint_report(network: Network, weights: Mapping[str, NDArray[Any]]) -> CheckpointReport:
    """Look for dead channels and numbers out of the ordinary.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array
        Every variable by its canonical name.

    Raises
    ------
    WeightsMismatchError
        If a variable is missing or has another shape.
    ValueError
        If the network has a layer for which no bounds are known.
    """
    check_weights(network, weights)
    tensors = tuple(_tensor(name, weights[name]) for name in network.variables)
    with np.errstate(invalid="ignore"):  # infinite weights times zero; the tensors tell of them
        ranges = channel_ranges(network, weights)
    kernels = tuple(
        _kernel(network, weights, stage, ranges[stage.output])
        for stage in stages(network, "convolutions")
        if isinstance(stage.main.layer, _WITH_KERNEL)
    )
    return CheckpointReport(network.name, tensors, kernels)


def _tensor(name: str, values: NDArray[Any]) -> TensorHealth:
    size = np.abs(values[np.isfinite(values)].astype(np.float64))
    used = size[size > 0]
    return TensorHealth(
        name=name,
        values=values.size,
        zeros=int(np.sum(size == 0)),
        subnormals=int(np.sum(used < _SMALLEST_NORMAL)),
        not_finite=values.size - size.size,
        smallest=float(used.min(initial=np.inf)) if used.size else 0.0,
        largest=float(size.max(initial=0.0)),
    )


def _kernel(
    network: Network, weights: Mapping[str, NDArray[Any]], stage: Stage, bounds: Range
) -> KernelHealth:
    low, high = bounds
    with np.errstate(invalid="ignore"):
        spread = high - low
    is_constant = spread <= CONSTANT * spread.max(initial=0.0)
    is_silent = is_constant & (np.maximum(np.abs(low), np.abs(high)) <= CONSTANT * spread.max())
    norm = next((node for node in stage.nodes if isinstance(node.layer, BatchNormalization)), None)
    gamma, variance, scale = _norm(network, weights, norm)
    return KernelHealth(
        name=stage.main.name,
        layers=tuple(node.name for node in stage.nodes),
        channels=low.size,
        constant=_indices(is_constant),
        silent=_indices(is_silent),
        norm=None if norm is None else norm.name,
        small_gammas=_indices(np.abs(gamma) < SMALL_GAMMA),
        small_variances=_indices(variance < SMALL_VARIANCE),
        scale_smallest=float(scale.min()) if scale.size else 0.0,
        scale_largest=float(scale.max(initial=0.0)),
    )


def _norm(
    network: Network, weights: Mapping[str, NDArray[Any]], node: Node | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gamma, moving variance and magnitude of the folded scale; empty without a batch norm."""
    if node is None or not isinstance(node.layer, BatchNormalization):
        return np.empty(0), np.empty(0), np.empty(0)
    variables = layer_variables(network, weights, node.name)
    variance = variables["moving_variance"]
    gamma = variables.get("gamma", np.ones_like(variance))
    return gamma, variance, np.abs(gamma / np.sqrt(variance + node.layer.epsilon))


def _indices(chosen: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(index) for index in np.flatnonzero(chosen))
