"""Two implementations of a network, layer by layer, and both against float64."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.parity.difference import Difference, difference
from npmobilenet.analysis.parity.divergence import (
    LayerRounding,
    first_divergence,
    layer_roundings,
)
from npmobilenet.analysis.references import Outputs, run_reference
from npmobilenet.architecture import Network
from npmobilenet.formats import tensors_digest

DEFAULT_FACTOR = 1.5
DEFAULT_FLOOR = 1e-6
DEFAULT_THRESHOLD = 1e-4


@dataclass(frozen=True)
class Limits:
    """What a layer's largest error against float64 may be.

    Parameters
    ----------
    factor, floor : float
        At most ``factor`` times the reference's own error, plus ``floor`` of the layer's largest
        value. Not asked where the reference is the oracle, or does not store the layer.
    threshold : float
        At most this share of the layer's largest value, whatever the reference does.
    """

    factor: float = DEFAULT_FACTOR
    floor: float = DEFAULT_FLOOR
    threshold: float = DEFAULT_THRESHOLD


@dataclass(frozen=True)
class LayerParity:
    """One layer.

    Parameters
    ----------
    name, type : str
    shape : tuple of int
        Of one sample.
    fused_into : str or None
        The layer that ours is computed in; then nothing else is known of it.
    largest : float
        Largest absolute value by the oracle.
    ours, reference : Difference or None
        Each implementation's output from the oracle's: its error. ``None`` where it is not stored,
        and for a reference that is the oracle.
    apart : Difference or None
        Ours from the reference's, where both are stored.
    our_rounding, reference_rounding : LayerRounding or None
        What the layer by itself adds, and how much of the bound of rounding that takes.
    reference_bound_used : float or None
        The most that the reference uses in this layer or in one that ours fuses into it.
    allowed : float or None
        By the limits; ``None`` if ours is not stored.
    """

    name: str
    type: str
    shape: tuple[int | None, ...]
    fused_into: str | None
    largest: float
    ours: Difference | None
    reference: Difference | None
    apart: Difference | None
    our_rounding: LayerRounding | None
    reference_rounding: LayerRounding | None
    reference_bound_used: float | None
    allowed: float | None

    @property
    def ratio(self) -> float | None:
        """Our largest error over the reference's."""
        if self.ours is None or self.reference is None:
            return None
        ours, reference = self.ours.max_absolute, self.reference.max_absolute
        if reference == 0:
            return 0.0 if ours == 0 else np.inf
        return ours / reference

    @property
    def within_limits(self) -> bool:
        """Whether our error is at most what is allowed."""
        if self.ours is None or self.allowed is None:
            return True
        return self.ours.max_absolute <= self.allowed


@dataclass(frozen=True)
class Parity:
    """How far one implementation of a network is from another, and both from float64.

    Parameters
    ----------
    network : str
    source : str
        Where the weights came from.
    weights_digest : str
        SHA-256 of the tensors, as ``npmobilenet weights inspect`` prints it.
    inputs : tuple of str
        What the images were.
    ours, reference : str
        What is compared with what.
    limits : Limits
    layers : tuple of LayerParity
    facts : dict of str to str
        Versions and settings.
    """

    network: str
    source: str
    weights_digest: str
    inputs: tuple[str, ...]
    ours: str
    reference: str
    limits: Limits
    layers: tuple[LayerParity, ...]
    facts: dict[str, str]

    @property
    def first_divergence(self) -> str | None:
        """The first of our layers that rounding does not explain."""
        return first_divergence(
            {row.name: row.our_rounding for row in self.layers if row.our_rounding}
        )

    @property
    def reference_divergence(self) -> str | None:
        """The first of the reference's layers that rounding does not explain."""
        return first_divergence(
            {row.name: row.reference_rounding for row in self.layers if row.reference_rounding}
        )

    @property
    def beyond_limits(self) -> tuple[str, ...]:
        """Layers whose error is more than allowed."""
        return tuple(row.name for row in self.layers if not row.within_limits)

    def compared(self) -> tuple[LayerParity, ...]:
        """The layers of which ours is stored."""
        return tuple(row for row in self.layers if row.ours is not None)

    @property
    def passed(self) -> bool:
        """Whether no layer of ours diverges, and none is beyond the limits."""
        return self.first_divergence is None and not self.beyond_limits


def parity(
    network: Network,
    weights: Mapping[str, NDArray[Any]],
    batch: NDArray[np.float32],
    ours: Outputs,
    against: str | Outputs,
    *,
    limits: Limits | None = None,
    source: str = "",
    inputs: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
) -> Parity:
    """Compare two implementations of a network on a batch.

    Parameters
    ----------
    network : Network
        Height and width known.
    weights : mapping of str to array
    batch : array ``(N, *network.input_shape)``, float32
    ours : Outputs
        What is to be judged, from :func:`npmobilenet.analysis.parity.outputs_of` for a backend of
        this library, or anything else's.
    against : str or Outputs
        A name of ``npmobilenet.analysis.references.REFERENCES``, or outputs that are there already.
    limits : Limits, optional
    source, inputs, facts
        What the report says of weights, images and machine.

    Raises
    ------
    ValueError
        If an array does not have its layer's shape or holds values that are no numbers, or the
        reference cannot run the network.
    """
    limits = limits or Limits()
    _check(network, batch, ours)
    oracle = run_reference("numpy64", network, weights, batch)
    if against == "numpy64":
        reference = oracle
    elif isinstance(against, str):
        reference = run_reference(against, network, weights, batch)
    else:
        reference = against
    _check(network, batch, reference)
    our_roundings = layer_roundings(network, weights, ours.values)
    is_oracle = reference is oracle
    their_roundings = {} if is_oracle else layer_roundings(network, weights, reference.values)
    rows = []
    for node in network.nodes[1:]:
        name = node.name
        exact = oracle.values[name]
        largest = float(np.abs(exact).max())
        own, theirs = ours.values.get(name), reference.values.get(name)
        error = None if own is None else difference(own, exact)
        their_error = None if theirs is None or is_oracle else difference(theirs, exact)
        rows.append(
            LayerParity(
                name=name,
                type=type(node.layer).__name__,
                shape=network.shapes[name],
                fused_into=ours.fused.get(name),
                largest=largest,
                ours=error,
                reference=their_error,
                apart=None if own is None or theirs is None else difference(own, theirs),
                our_rounding=our_roundings.get(name),
                reference_rounding=their_roundings.get(name),
                reference_bound_used=_most_used(name, ours, their_roundings),
                allowed=None if error is None else _allowed(limits, largest, their_error),
            )
        )
    return Parity(
        network=network.name,
        source=source,
        weights_digest=tensors_digest(weights),
        inputs=tuple(inputs),
        ours=ours.title,
        reference=reference.title,
        limits=limits,
        layers=tuple(rows),
        facts={**(facts or {}), **ours.facts, **reference.facts},
    )


def _allowed(limits: Limits, largest: float, reference: Difference | None) -> float:
    allowed = limits.threshold * largest
    if reference is None:
        return allowed
    return min(allowed, limits.factor * reference.max_absolute + limits.floor * largest)


def _most_used(name: str, ours: Outputs, roundings: Mapping[str, LayerRounding]) -> float | None:
    within = [name, *(layer for layer, into in ours.fused.items() if into == name)]
    return max(
        (roundings[layer].bound_used for layer in within if layer in roundings), default=None
    )


def _check(network: Network, batch: NDArray[np.float32], outputs: Outputs) -> None:
    """Make sure that each stored output is one of its layer, and the last layer's is among them."""
    for name, value in outputs.values.items():
        if name not in network.shapes:
            raise ValueError(f"{outputs.title}: network {network.name!r} has no layer {name!r}")
        expected = (len(batch), *network.shapes[name])
        if value.shape != expected:
            raise ValueError(
                f"{outputs.title}: layer {name!r} has shape {value.shape}, expected {expected}"
            )
        if value.dtype not in (np.float32, np.float64):
            raise ValueError(f"{outputs.title}: layer {name!r} is {value.dtype}, expected float32")
    for name in (network.nodes[0].name, network.nodes[-1].name):
        if name not in outputs.values:
            raise ValueError(f"{outputs.title}: the output of layer {name!r} is missing")
    for node in network:
        if node.name in outputs.values and not np.isfinite(outputs.values[node.name]).all():
            raise ValueError(
                f"{outputs.title}: layer {node.name!r} is the first with values that are infinite "
                "or no numbers"
            )
