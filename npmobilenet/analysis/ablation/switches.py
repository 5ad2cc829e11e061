"""The decisions that can be undone, as data: each ablation is one setting of one switch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from npmobilenet.analysis.ablation.arithmetic import Arithmetic, Float64, NumPy, Ordered
from npmobilenet.analysis.ablation.sums import Accumulator
from npmobilenet.analysis.ablation.transforms import (
    Ablated,
    depthwise_as_full,
    folded_into_weights,
    scale_and_shift,
    with_epsilon,
    with_padding,
    with_relu,
)


@dataclass(frozen=True)
class Ablation:
    """One setting of one switch; everything else stays as in the baseline.

    The baseline is the network as it is in its file, run by the reference in float32: batch norm as
    the paper writes it, sums in float64 that are rounded once.

    Parameters
    ----------
    switch, setting : str
    text : str
        What is different, in words.
    transform : callable, optional
        The network and its weights to others.
    arithmetic : Arithmetic, optional
        Of the sums.
    resize : str, optional
        How pictures are resized.
    """

    switch: str
    setting: str
    text: str
    transform: Callable[..., Ablated] | None = None
    arithmetic: Arithmetic | None = None
    resize: str | None = None

    @property
    def name(self) -> str:
        """Switch and setting, ``"padding symmetric"``."""
        return f"{self.switch} {self.setting}"


def _padding(setting: str, text: str) -> Ablation:
    return Ablation("padding", setting, text, partial(with_padding, padding=setting))


def _epsilon(value: float) -> Ablation:
    text = f"every batch norm with epsilon {value:g}"
    return Ablation("epsilon", f"{value:g}", text, partial(with_epsilon, epsilon=value))


def _activation(setting: str, text: str, max_value: float | None) -> Ablation:
    return Ablation("activation", setting, text, partial(with_relu, max_value=max_value))


def _resize(mode: str, text: str) -> Ablation:
    return Ablation("resize", mode, text, resize=mode)


def _order(setting: str, text: str, arithmetic: Arithmetic) -> Ablation:
    return Ablation("order", setting, text, arithmetic=arithmetic)


def _accumulation(setting: str, text: str, arithmetic: Arithmetic) -> Ablation:
    return Ablation("accumulation", setting, text, arithmetic=arithmetic)


ABLATIONS: tuple[Ablation, ...] = (
    _padding("keras", "strided depthwise convolutions padded by one at the end"),
    _padding("same", "strided windows padded as TensorFlow's SAME"),
    _padding("symmetric", "strided windows padded by as much before as behind"),
    _epsilon(1e-3),
    _epsilon(1e-5),
    _activation("relu6", "every ReLU cut off at 6", 6.0),
    _activation("relu", "no ReLU cut off", None),
    _resize("pil-bilinear", "Pillow's bilinear filter, as Keras' load_img can be told"),
    _resize("pil-nearest", "the nearest pixel, Keras' load_img by default"),
    _resize("pil-bicubic", "Pillow's bicubic filter"),
    _resize("tf-bilinear", "tf.image.resize, which skips pixels when it shrinks"),
    _resize("tf-bilinear-antialias", "tf.image.resize with antialias"),
    _resize("tfjs-bilinear", "TensorFlow.js, corners aligned"),
    Ablation("folding", "weights", "batch norm inside float32 kernels", folded_into_weights),
    Ablation("folding", "scale-shift", "batch norm as a float32 scale and shift", scale_and_shift),
    _order("sequential", "float32 sums from the first term to the last", Ordered(Accumulator())),
    _order(
        "reversed", "float32 sums from the last term to the first", Ordered(Accumulator("reversed"))
    ),
    _order("pairwise", "float32 sums of halves of halves", Ordered(Accumulator("pairwise"))),
    _order(
        "chunked",
        "float32 sums of as many terms as the kernels', then of these sums",
        Ordered(Accumulator("chunked")),
    ),
    _order("numpy", "float32 sums as NumPy and its BLAS form them", NumPy()),
    _accumulation(
        "float16", "each partial sum rounded to float16", Ordered(Accumulator(precision="float16"))
    ),
    _accumulation(
        "bfloat16",
        "each partial sum rounded to bfloat16",
        Ordered(Accumulator(precision="bfloat16")),
    ),
    _accumulation("float32", "each partial sum rounded to float32", Ordered(Accumulator())),
    _accumulation("float64", "sums in float64, rounded once", Float64()),
    Ablation(
        "depthwise", "full", "depthwise kernels as full ones, zero off the diagonal",
        depthwise_as_full,
    ),
)  # fmt: skip

SWITCHES: tuple[str, ...] = tuple(dict.fromkeys(ablation.switch for ablation in ABLATIONS))


def chosen(switches: Sequence[str] = ()) -> tuple[Ablation, ...]:
    """The ablations of some switches, by default of all.

    Raises
    ------
    ValueError
        If there is no such switch.
    """
    unknown = set(switches) - set(SWITCHES)
    if unknown:
        raise ValueError(f"switch must be one of {', '.join(SWITCHES)}; found {min(unknown)!r}")
    return tuple(ablation for ablation in ABLATIONS if not switches or ablation.switch in switches)
