"""Layers that make one tensor of several, with Keras' names.

Sizes of 1 are stretched to those of the other inputs, so that a factor for each channel,
``(1, 1, channels)``, goes with a map: squeeze-and-excite.
"""

from dataclasses import dataclass
from typing import ClassVar

from npmobilenet.architecture.layers import Layer
from npmobilenet.architecture.shapes import Shape


@dataclass(frozen=True, kw_only=True)
class Merge(Layer):
    """What these layers share; all but :class:`Concatenate` work value by value."""

    ARITY: ClassVar[int | None] = None

    def output_shape(self, *inputs: Shape) -> Shape:
        if len({len(shape) for shape in inputs}) != 1:
            raise ValueError(f"layer {self.name!r} cannot merge shapes {inputs}")
        return tuple(self._size(inputs, axis) for axis in range(len(inputs[0])))

    def _size(self, inputs: tuple[Shape, ...], axis: int) -> int | None:
        sizes = {shape[axis] for shape in inputs} - {1}
        if len(sizes) > 1:
            raise ValueError(f"layer {self.name!r} cannot merge shapes {inputs}")
        return sizes.pop() if sizes else 1


@dataclass(frozen=True, kw_only=True)
class Multiply(Merge):
    """The product of all inputs."""


@dataclass(frozen=True, kw_only=True)
class Subtract(Merge):
    """The first input minus the second."""

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs) != 2:
            raise ValueError(f"layer {self.name!r} subtracts {len(inputs)} inputs, expected 2")
        return super().output_shape(*inputs)


@dataclass(frozen=True, kw_only=True)
class Average(Merge):
    """The mean of all inputs."""


@dataclass(frozen=True, kw_only=True)
class Maximum(Merge):
    """The largest of all inputs."""


@dataclass(frozen=True, kw_only=True)
class Minimum(Merge):
    """The smallest of all inputs."""


@dataclass(frozen=True, kw_only=True)
class Concatenate(Merge):
    """All inputs one after the other along an axis of a sample, counted from its end."""

    axis: int = -1

    def _size(self, inputs: tuple[Shape, ...], axis: int) -> int | None:
        sizes = [shape[axis] for shape in inputs]
        if axis - len(inputs[0]) == self.axis:
            return None if None in sizes else sum(size or 0 for size in sizes)
        if len(set(sizes)) > 1:
            raise ValueError(f"layer {self.name!r} cannot join shapes {inputs}")
        return sizes[0]
