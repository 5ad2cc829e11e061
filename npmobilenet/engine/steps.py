"""What the engine runs: a few kinds of steps, each of which stands for several layers."""

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import Padding

Array = NDArray[Any]
NO_PADDING = ((0, 0), (0, 0))


@dataclass(eq=False)
class Step:
    """A computation whose result is stored; ``layers`` names the network's nodes it covers.

    The result is the output of the last of them. ``source`` is the step that it reads, ``None``
    for the network's input.
    """

    source: "Step | None"
    layers: list[str]

    @property
    def name(self) -> str:
        return self.layers[-1]

    @property
    def inputs(self) -> tuple["Step | None", ...]:
        return (self.source,)


@dataclass(eq=False)
class Linear(Step):
    """A layer with weights, batch norm and activation.

    Computes ``min(max(conv(x, kernel) * scale + bias, low), high)`` with ``scale`` and ``bias``
    in float64; ``scale`` is multiplied into the kernel when that is packed.
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
    def activated(self) -> bool:
        return (self.low, self.high) != (-inf, inf)


@dataclass(eq=False)
class Convolution(Linear):
    """``kernel`` is ``(height, width, in, out)``; ``skip`` is a residual to add, if ``adds``."""

    skip: Step | None = None
    adds: bool = False

    @property
    def inputs(self) -> tuple[Step | None, ...]:
        return (self.source, self.skip) if self.adds else (self.source,)

    @property
    def pointwise(self) -> bool:
        """Whether each output pixel comes from the one input pixel at its place."""
        unpadded = isinstance(self.padding, str) or self.padding == NO_PADDING
        return self.kernel.shape[:2] == self.strides == (1, 1) and unpadded


@dataclass(eq=False)
class Depthwise(Linear):
    """``kernel`` is ``(height, width, channels)``."""


@dataclass(eq=False)
class GlobalPool(Step):
    """Mean or, if ``largest``, maximum over height and width."""

    largest: bool = False


@dataclass(eq=False)
class Softmax(Step):
    """Softmax over the last axis of a flat sample."""


@dataclass(eq=False)
class Separable(Step):
    """A depthwise and a pointwise step run as one."""

    depthwise: Depthwise
    pointwise: Convolution

    @property
    def inputs(self) -> tuple[Step | None, ...]:
        return (self.source, *self.pointwise.inputs[1:])


@dataclass(eq=False)
class Inverted(Step):
    """An inverted residual: expansion, depthwise and projection run as one."""

    expand: Convolution
    depthwise: Depthwise
    project: Convolution

    @property
    def inputs(self) -> tuple[Step | None, ...]:
        return (self.source, *self.project.inputs[1:])


@dataclass(eq=False)
class ExpandDepthwise(Step):
    """The first two thirds of an inverted residual, where the last is run by itself."""

    expand: Convolution
    depthwise: Depthwise


def as_float32(values: Array) -> NDArray[np.float32]:
    """Rounded to float32, with zeros for subnormals: they cost up to 50 times as much."""
    rounded = np.asarray(values, np.float32)
    return np.where(np.abs(rounded) < np.finfo(np.float32).tiny, np.float32(0), rounded)
