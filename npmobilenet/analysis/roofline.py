"""Where the layers of a network lie under the roofs of the machine, and where the time goes.

Conventions, which are those of :mod:`npmobilenet.analysis.cost`:

- operations are FLOPs (two for each MAC) and other operations; intensity is operations for each
  byte of weights and activations that a layer has to read or write at least once;
- no layer can be faster than its operations at the FMA peak (*arithmetic*), nor than its bytes at
  the speed of where they lie (*memory*): the slower of the two is its roof and says what it is
  bound by;
- a layer's activations lie where all that it reads and writes fits; its weights where all weights
  and the activations of the network fit, because each is read once a run. Speeds are those
  measured for as many bytes (:meth:`Roofs.bandwidth`).

A layer that takes more than twice as long as its roof is bound by *neither*: loads from L1, address
arithmetic, sums that wait for each other, or threads that wait for each other take its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from npmobilenet.analysis.profile import LayerTime, Profile, Subject, Weights, profile_together
from npmobilenet.analysis.roofs import Roofs, measure_roofs
from npmobilenet.analysis.stages import plain_kind
from npmobilenet.architecture import Network

ARITHMETIC, MEMORY, NEITHER = "arithmetic", "memory", "neither"
REACHED = 0.5
"""Share of its roof that a layer must reach to be bound by it."""


@dataclass(frozen=True)
class RoofedLayer:
    """A layer with its two limits."""

    time: LayerTime
    arithmetic_seconds: float
    """Its operations at the FMA peak."""
    memory_seconds: float
    """Its bytes at the speed of where they lie."""
    activation_level: str
    weight_level: str

    @property
    def intensity(self) -> float:
        """Operations for each byte."""
        return self.time.cost.intensity

    @property
    def operations_per_second(self) -> float:
        """FLOPs and other operations."""
        cost = self.time.cost
        return (cost.flops + cost.operations) / self.time.seconds if self.time.seconds else 0.0

    @property
    def roof_seconds(self) -> float:
        """The least time that the machine's limits allow."""
        return max(self.arithmetic_seconds, self.memory_seconds)

    @property
    def nearest(self) -> str:
        """Which limit comes first, ``"arithmetic"`` or ``"memory"``."""
        return MEMORY if self.memory_seconds > self.arithmetic_seconds else ARITHMETIC

    @property
    def share_of_roof(self) -> float:
        """Least time over measured time."""
        return self.roof_seconds / self.time.seconds if self.time.seconds else 0.0

    @property
    def bound(self) -> str:
        """What the layer is bound by: its nearest limit, or ``"neither"``."""
        return self.nearest if self.share_of_roof >= REACHED else NEITHER


@dataclass(frozen=True)
class Share:
    """Layers of one kind together."""

    kind: str
    count: int
    macs: float
    """Share of the network's, as are bytes and time."""
    bytes: float
    time: float
    seconds: float
    share_of_peak: float
    share_of_roof: float
    bound: dict[str, float]
    """Share of the kind's time in layers bound by each limit, and by neither."""


@dataclass(frozen=True)
class RoofedProfile:
    """A profile under the roofs."""

    profile: Profile
    layers: tuple[RoofedLayer, ...]

    @property
    def share_of_roof(self) -> float:
        """Least time of all layers over the time of all layers."""
        return sum(layer.roof_seconds for layer in self.layers) / self.profile.layers_seconds

    @property
    def kinds(self) -> tuple[Share, ...]:
        """Where the time goes: kinds of layers, window and stride left out, most time first."""
        groups: dict[str, list[RoofedLayer]] = {}
        for layer in self.layers:
            groups.setdefault(plain_kind(layer.time.kind), []).append(layer)
        shares = (self._share(kind, members) for kind, members in groups.items())
        return tuple(sorted(shares, key=lambda share: -share.seconds))

    def _share(self, kind: str, members: Sequence[RoofedLayer]) -> Share:
        costs = [layer.time.cost for layer in members]
        seconds = sum(layer.time.seconds for layer in members)
        macs = sum(cost.macs for cost in costs)
        return Share(
            kind=kind,
            count=len(members),
            macs=macs / (self.profile.macs or 1),
            bytes=sum(cost.bytes for cost in costs)
            / sum(layer.time.cost.bytes for layer in self.layers),
            time=seconds / self.profile.layers_seconds,
            seconds=seconds,
            share_of_peak=2 * macs / seconds / self.profile.peak,
            share_of_roof=sum(layer.roof_seconds for layer in members) / seconds,
            bound={
                limit: sum(layer.time.seconds for layer in members if layer.bound == limit)
                / seconds
                for limit in (ARITHMETIC, MEMORY, NEITHER)
            },
        )


@dataclass(frozen=True)
class Roofline:
    """The machine, and a network on it with blocks fused and with every layer alone."""

    roofs: Roofs
    fused: RoofedProfile
    unfused: RoofedProfile


def roofline(
    network: Network,
    weights: Weights | None = None,
    *,
    threads: int = 1,
    seconds: float = 2.0,
) -> Roofline:
    """Measure a network, fused and unfused, and the machine's limits.

    Parameters and errors as :func:`npmobilenet.analysis.profile.profile`. The FMA peak is the one
    measured between the rounds of the network.
    """
    roofs = measure_roofs(threads)
    subjects = [Subject(network, weights, fused) for fused in (True, False)]
    fused, unfused = profile_together(subjects, threads=threads, seconds=seconds)
    roofs = replace(roofs, peak=fused.peak)
    return Roofline(roofs, under_roofs(fused, roofs), under_roofs(unfused, roofs))


def under_roofs(profile: Profile, roofs: Roofs) -> RoofedProfile:
    """The layers of a profile with the limits of the machine."""
    costs = [layer.cost for layer in profile.layers]
    in_use = sum(cost.weight_bytes for cost in costs) + max(cost.live_bytes for cost in costs)
    return RoofedProfile(
        profile, tuple(_under_roofs(layer, roofs, in_use) for layer in profile.layers)
    )


def _under_roofs(layer: LayerTime, roofs: Roofs, in_use: int) -> RoofedLayer:
    cost = layer.cost
    activations = (cost.read_bytes + cost.written_bytes) / roofs.bandwidth(cost.bytes)
    return RoofedLayer(
        time=layer,
        arithmetic_seconds=(cost.flops + cost.operations) / roofs.peak,
        memory_seconds=activations + cost.weight_bytes / roofs.bandwidth(in_use),
        activation_level=roofs.level(cost.bytes),
        weight_level=roofs.level(in_use),
    )
