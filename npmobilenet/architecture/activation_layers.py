"""Activations with weights."""

from dataclasses import dataclass

from npmobilenet.architecture.layers import Layer, Variables
from npmobilenet.architecture.shapes import Shape


@dataclass(frozen=True, kw_only=True)
class PReLU(Layer):
    """``x``, or ``alpha * x`` below 0, with an ``alpha`` for each value (arXiv 1502.01852).

    Axes that share theirs count from 1, as in Keras: ``(1, 2)`` leaves one for each channel.
    """

    shared_axes: tuple[int, ...] = ()

    def variables(self, *inputs: Shape) -> Variables:
        shape = []
        for axis, size in enumerate(inputs[0], start=1):
            if size is None and axis not in self.shared_axes:
                raise ValueError(f"layer {self.name!r} needs a known size of axis {axis}")
            shape.append(1 if axis in self.shared_axes or size is None else size)
        return {"alpha": tuple(shape)}
