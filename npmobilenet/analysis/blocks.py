"""Standard convolution against depthwise separable, and V2's block against V1's, measured.

All run on the same engine, with the same product kernel under the standard and the pointwise
convolutions, each with batch norm and ReLU6. They are measured in the same rounds, blocks fused;
the parts of a block are measured by themselves beside it. A block's time is that of its kernels
(:mod:`npmobilenet.analysis.profile`) on data that the last round left in the caches; that of a
network is a whole call.

Time is MACs over speed, so of two blocks

    ratio of times = ratio of MACs x share of the peak of the one / share of the peak of the other

holds exactly: what the MACs promise and the clock does not give is in the shares, and the roofs
(:mod:`npmobilenet.analysis.roofline`) say what each part is bound by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from npmobilenet.analysis.profile import Profile, Subject, Weights, profile_together
from npmobilenet.analysis.roofline import RoofedProfile, under_roofs
from npmobilenet.analysis.roofs import Roofs
from npmobilenet.architecture import Network
from npmobilenet.architecture.blocks import inverted_block, separable_block, standard_block
from npmobilenet.architecture.variants import full_convolution
from npmobilenet.counts import whole_number

STANDARD, SEPARABLE, INVERTED = "standard", "separable", "inverted residual"


@dataclass(frozen=True)
class Contender:
    """A block or a network, as it runs and with its parts by themselves."""

    name: str
    seconds: float
    fused: RoofedProfile
    unfused: RoofedProfile

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return self.fused.profile.macs

    @property
    def parameters(self) -> int:
        """Kernels and biases; batch norm does not count."""
        return sum(layer.time.cost.parameters_without_batch_norm for layer in self.fused.layers)

    @property
    def share_of_peak(self) -> float:
        """FLOP/s over the FMA peak."""
        return 2 * self.macs / self.seconds / self.fused.profile.peak


@dataclass(frozen=True)
class Ratio:
    """One contender over another."""

    name: str
    against: str
    macs: float
    formula: str
    """What the papers give for the ratio of MACs; empty where they give none."""
    predicted: float | None
    """The value of the formula."""
    parameters: float
    seconds: float
    shares: float
    """Share of the peak of ``against`` over that of ``name``: ``seconds`` is ``macs`` times it."""


@dataclass(frozen=True)
class Comparison:
    """Contenders at equal shapes, the slow one of the papers first."""

    title: str
    threads: int
    roofs: Roofs
    contenders: tuple[Contender, ...]
    ratios: tuple[Ratio, ...]


def compare_blocks(
    shape: tuple[int, int, int],
    filters: int | None = None,
    *,
    roofs: Roofs,
    kernel: int = 3,
    stride: int = 1,
    expansion: int = 6,
    threads: int = 1,
    seconds: float = 1.0,
) -> Comparison:
    """Measure a standard convolution, V1's separable block and V2's inverted residual.

    Parameters
    ----------
    shape : (height, width, channels)
        Of the input of all three.
    filters : int, optional
        Output channels of all three; by default as many as the input has.
    roofs : Roofs
        Of as many threads (:func:`~npmobilenet.analysis.roofs.measure_roofs`).
    kernel, stride : int
    expansion : int
        t of the inverted residual.
    threads : int
    seconds : float
        How long to measure, about.

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    filters = filters or shape[2]
    for number in (*shape, filters, kernel, stride, expansion):
        whole_number(number, "each size")
    networks = {
        STANDARD: standard_block(shape, filters, kernel, stride),
        SEPARABLE: separable_block(shape, filters, kernel, stride),
        INVERTED: inverted_block(shape, filters, kernel, stride, expansion),
    }
    subjects = {name: Subject(network) for name, network in networks.items()}
    standard, separable, inverted = _measure(subjects, roofs, threads, seconds, whole=False)
    size = "x".join(map(str, shape))
    strided = f", stride {stride}" if stride != 1 else ""
    formula = f"1/N + 1/{kernel * kernel}"
    predicted = float(Fraction(1, filters) + Fraction(1, kernel * kernel))
    return Comparison(
        title=f"{size} to {filters} channels, {kernel}x{kernel}{strided}",
        threads=threads,
        roofs=replace(roofs, peak=standard.fused.profile.peak),
        contenders=(standard, separable, inverted),
        ratios=(
            _ratio(separable, standard, formula, predicted),
            _ratio(inverted, separable),
            _ratio(inverted, standard),
        ),
    )


def compare_networks(
    network: Network,
    weights: Weights | None = None,
    *,
    roofs: Roofs,
    threads: int = 1,
    seconds: float = 3.0,
) -> Comparison:
    """Measure a network beside itself with a standard convolution for every separable block.

    V1's Table 4: 4866 M against 569 M multiply-adds. Parameters as :func:`compare_blocks`; the
    other network has random weights.

    Raises
    ------
    ValueError
        If the network has no depthwise separable block, or a size is not known.
    """
    subjects = {
        STANDARD: Subject(full_convolution(network)),
        SEPARABLE: Subject(network, weights),
    }
    standard, separable = _measure(subjects, roofs, threads, seconds, whole=True)
    size = "x".join(map(str, network.input_shape))
    return Comparison(
        title=f"{network.name}, input {size}",
        threads=threads,
        roofs=replace(roofs, peak=standard.fused.profile.peak),
        contenders=(standard, separable),
        ratios=(_ratio(separable, standard),),
    )


def _measure(
    subjects: dict[str, Subject], roofs: Roofs, threads: int, seconds: float, *, whole: bool
) -> list[Contender]:
    parts = {
        name: replace(subject, fused=False)
        for name, subject in subjects.items()
        if name != STANDARD  # which has nothing to fuse
    }
    ways = [*subjects.values(), *parts.values()]
    found = profile_together(ways, threads=threads, seconds=seconds)
    roofs = replace(roofs, peak=found[0].peak)
    fused = dict(zip(subjects, found, strict=False))
    unfused = fused | dict(zip(parts, found[len(subjects) :], strict=True))
    return [
        Contender(
            name,
            _seconds(fused[name], whole),
            under_roofs(fused[name], roofs),
            under_roofs(unfused[name], roofs),
        )
        for name in subjects
    ]


def _seconds(profile: Profile, whole: bool) -> float:
    return profile.seconds if whole else profile.layers_seconds


def _ratio(
    one: Contender, other: Contender, formula: str = "", predicted: float | None = None
) -> Ratio:
    return Ratio(
        name=one.name,
        against=other.name,
        macs=one.macs / other.macs,
        formula=formula,
        predicted=predicted,
        parameters=one.parameters / other.parameters,
        seconds=one.seconds / other.seconds,
        shares=other.share_of_peak / one.share_of_peak,
    )


def explanation(comparison: Comparison) -> list[str]:
    """Why the times are not as the MACs: a sentence for each ratio and for each contender."""
    shares = {one.name: one.share_of_peak for one in comparison.contenders}
    lines = [
        f"{ratio.name} against {ratio.against}: {ratio.macs:.3f} of the MACs in "
        f"{ratio.seconds:.3f} of the time, as {ratio.name} runs at {shares[ratio.name]:.0%} of the "
        f"peak and {ratio.against} at {shares[ratio.against]:.0%}."
        for ratio in comparison.ratios
    ]
    return lines + [_parts(one) for one in comparison.contenders]


def _parts(one: Contender) -> str:
    texts = [
        f"{share.kind} {share.macs:.1%} of the MACs in {share.time:.1%} of the time, "
        f"{_bound(share.bound, share.share_of_roof)}"
        for share in one.unfused.kinds
        if share.macs
    ]
    return f"{one.name}, each part by itself: {'; '.join(texts)}."


def _bound(bound: dict[str, float], share_of_roof: float) -> str:
    """What most of the time is bound by, in words."""
    most = max(bound, key=lambda limit: bound[limit])
    by = "by neither arithmetic nor memory" if most == "neither" else f"by {most}"
    return f"bound {by} ({share_of_roof:.0%} of its roof)"


def busiest(comparisons: Sequence[Comparison]) -> float:
    """Cores that other processes kept busy, at worst."""
    return max(
        one.fused.profile.busy for comparison in comparisons for one in comparison.contenders
    )
