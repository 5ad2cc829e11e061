"""What the engine runs: a few kinds of steps, each of which stands for several layers."""

from dataclasses import dataclass, field
from math import inf, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Padding
from npmobilenet.architecture.padding import explicit_padding, window_extent

Array = NDArray[Any]
Sample = tuple[int, int, int]
NO_PADDING = ((0, 0), (0, 0))


def sample_shape(shape: tuple[Any, ...]) -> Sample:
    """Height, width and channels; without height and width, whatever comes before is one row."""
    return shape if len(shape) == 3 else (1, prod(shape[:-1]), shape[-1])


@dataclass(eq=False, repr=False)
class Step:
    """A computation whose result is stored; ``layers`` names the network's nodes it covers.

    The result is the output of the last of them, unless the step is ``inner``: then it is the first
    part of a layer that takes two steps, and nobody but the second sees its result, whose shape
    is not the layer's. ``views`` names layers that change nothing and give the result too, beside
    others that read it. ``source`` is the step that it reads, ``None`` for the network's input.
    """

    source: "Step | None"
    layers: list[str]
    inner: bool = field(default=False, kw_only=True)
    views: list[str] = field(default_factory=list, kw_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"  # one with its sources has all before it

    @property
    def name(self) -> str:
        return self.layers[-1]

    @property
    def inputs(self) -> tuple["Step | None", ...]:
        return (self.source,)


@dataclass(eq=False, repr=False)
class Linear(Step):
    """A layer with weights, batch norm and activation.

    Computes ``min(max(conv(x, kernel) * scale + bias, low), high)`` with ``scale`` and ``bias``
    in float64. They stay apart from the kernel: multiplied into it, ``scale`` would round every
    weight once more, which on trained networks doubles the error against float64.
    """

    kernel: Array
    bias: Array
    scale: Array
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Padding = "valid"
    low: float = -inf
    high: float = inf

    @property
    def kernel_size(self) -> tuple[int, int]:
        return self.kernel.shape[0], self.kernel.shape[1]

    @property
    def activated(self) -> bool:
        return (self.low, self.high) != (-inf, inf)


@dataclass(eq=False, repr=False)
class Convolution(Linear):
    """``kernel`` is ``(height, width, in, out)``; ``skip`` is a residual to add, if ``adds``.

    With ``strassen`` its weights are packed for Strassen's product.
    """

    skip: Step | None = None
    adds: bool = False
    strassen: bool = False

    @property
    def inputs(self) -> tuple[Step | None, ...]:
        return (self.source, self.skip) if self.adds else (self.source,)

    @property
    def pointwise(self) -> bool:
        """Whether each output pixel comes from the one input pixel at its place."""
        unpadded = isinstance(self.padding, str) or self.padding == NO_PADDING
        return self.kernel_size == self.strides == (1, 1) and unpadded


@dataclass(eq=False, repr=False)
class Depthwise(Linear):
    """``kernel`` is ``(height, width, out)``; each input channel has ``multiplier`` of them."""

    multiplier: int = 1


@dataclass(eq=False, repr=False)
class Pool(Step):
    """Mean or, if ``largest``, maximum of each window, or without a size of the whole image."""

    largest: bool = False
    kernel_size: tuple[int, int] | None = None
    strides: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Padding = "valid"


@dataclass(eq=False, repr=False)
class Copy(Step):
    """The same values as pixels of another shape."""


@dataclass(eq=False, repr=False)
class Softmax(Step):
    """Softmax over the last axis of a flat sample."""


@dataclass(eq=False, repr=False)
class Separable(Step):
    """A depthwise and a pointwise step run as one."""

    depthwise: Depthwise
    pointwise: Convolution

    @property
    def inputs(self) -> tuple[Step | None, ...]:
        return (self.source, *self.pointwise.inputs[1:])


@dataclass(eq=False, repr=False)
class Inverted(Step):
    """An inverted residual: expansion, depthwise and projection run as one."""

    expand: Convolution
    depthwise: Depthwise
    project: Convolution

    @property
    def inputs(self) -> tuple[Step | None, ...]:
        return (self.source, *self.project.inputs[1:])


@dataclass(eq=False, repr=False)
class ExpandDepthwise(Step):
    """The first two thirds of an inverted residual, where the last is run by itself."""

    expand: Convolution
    depthwise: Depthwise


def name_whole_layers(steps: list[Step]) -> None:
    """Let who ends a layer cover what its inner step covers before it."""
    for step in steps:
        for source in step.inputs:
            if source is not None and source.inner:
                step.layers = source.layers[:-1] + step.layers
                source.layers = source.layers[-1:]


def reach(outputs: int, layer: Linear, axis: int) -> int:
    """How many input rows (axis 0) or columns (axis 1) so many output ones are made from."""
    extent = window_extent(layer.kernel_size[axis], layer.dilation[axis])
    return (outputs - 1) * layer.strides[axis] + extent


def padding_of(layer: Linear | Pool, source: Sample) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros above and below, left and right of a layer's input."""
    size = source[:2]
    kernel = layer.kernel_size or size
    return explicit_padding(layer.padding, size, kernel, layer.strides, layer.dilation)


def reads_vectors_of_input(steps: list[Step]) -> bool:
    """Whether a kernel reads whole vectors of the input, which may reach past its end.

    What a convolution multiplies it reads value by value.
    """
    return any(
        None in (step.inputs[1:] if isinstance(step, Convolution) else step.inputs)
        for step in steps
    )


def as_float32(values: Array) -> NDArray[np.float32]:
    """Rounded to float32, with zeros for subnormals: they cost up to 50 times as much."""
    rounded = np.asarray(values, np.float32)
    return np.where(np.abs(rounded) < np.finfo(np.float32).tiny, np.float32(0), rounded)
