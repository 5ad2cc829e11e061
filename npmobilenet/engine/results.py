"""The results of steps as they lie in memory: pixels of so many channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from npmobilenet.architecture.padding import explicit_padding, output_size
from npmobilenet.engine.steps import (
    Convolution,
    Copy,
    Depthwise,
    ExpandDepthwise,
    Inverted,
    Linear,
    Pool,
    Separable,
    Step,
    sample_shape,
)


class PlanError(RuntimeError):
    """A plan that would read or write the wrong memory: a fault of this library."""


@dataclass(frozen=True)
class Result:
    """What a step gives; ``height`` rows of ``width`` pixels."""

    name: str
    height: int
    width: int
    channels: int

    @property
    def pixels(self) -> int:
        return self.height * self.width

    @property
    def size(self) -> int:
        """Floats."""
        return self.pixels * self.channels


def results_of(
    steps: list[Step], shapes: Mapping[str, tuple[int, ...]], input_shape: tuple[int, ...]
) -> dict[object, Result]:
    """What lies in memory at some time: the input under ``None``, and the result of each step.

    A depthwise result inside a block, which some plans store, is there under its layer.

    Raises
    ------
    PlanError
        If a step's result does not have the size of the layer's that it is the output of.
    """
    found: dict[object, Result] = {None: Result("the input", *sample_shape(input_shape))}
    for step in steps:
        source = found[step.source]
        match step:
            case Separable():
                between = _window(step.depthwise, source, f"{step.name} (depthwise)")
                found[step.depthwise] = between
                result = _window(step.pointwise, between, step.name)
            case Inverted() | ExpandDepthwise():
                between = _window(step.expand, source, step.name)
                result = _window(step.depthwise, between, step.name)
                if isinstance(step, Inverted):
                    found[step.depthwise] = result
                    result = _window(step.project, result, step.name)
            case Linear() | Pool():
                result = _window(step, source, step.name)
            case Copy():
                result = Result(step.name, *sample_shape(shapes[step.name]))
            case _:
                result = Result(step.name, source.height, source.width, source.channels)
        if not step.inner and result.size != prod(shapes[step.name]):
            raise PlanError(
                f"step {step.name!r} gives {result.size} values, and its layer "
                f"{prod(shapes[step.name])}"
            )
        found[step] = result
    return found


def zeros_around(layer: Linear | Pool, source: Result) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros above and below, left and right of what a layer reads."""
    size = source.height, source.width
    kernel = layer.kernel_size or size
    return explicit_padding(layer.padding, size, kernel, layer.strides, layer.dilation)


def _window(layer: Linear | Pool, source: Result, name: str) -> Result:
    kernel = layer.kernel_size or (source.height, source.width)
    padding = zeros_around(layer, source)
    sides = []
    for axis, size in enumerate((source.height, source.width)):
        side = output_size(
            size, kernel[axis], layer.strides[axis], padding[axis], layer.dilation[axis]
        )
        assert side is not None  # noqa: S101
        sides.append(side)
    channels = source.channels
    if isinstance(layer, Convolution):
        channels = layer.kernel.shape[3]
    elif isinstance(layer, Depthwise):
        channels *= layer.multiplier
    height, width = sides
    return Result(name, height, width, channels)
