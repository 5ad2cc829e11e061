"""Layers as frozen data, with Keras' names and defaults.

A layer knows three things about itself: its parameters, the shape it gives (``output_shape``) and
the variables it needs (``variables``, by canonical name). It cannot run: the interpreter and the
engine do that. Shapes are those of one sample, ``(height, width, channels)``.

Canonical layouts: convolution kernels are ``(height, width, in, out)``; depthwise kernels are
``(height, width, in, multiplier)``; dense kernels are ``(in, out)``.
"""

from dataclasses import dataclass
from typing import ClassVar

from npmobilenet.architecture.padding import Padding, output_size
from npmobilenet.architecture.shapes import Shape, channels, count

Pair = tuple[int, int]
Variables = dict[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One named layer. ``ARITY`` is its number of inputs (``None``: two or more)."""

    ARITY: ClassVar[int | None] = 1
    NON_TRAINABLE: ClassVar[frozenset[str]] = frozenset()

    name: str

    def output_shape(self, *inputs: Shape) -> Shape:
        """The shape of one output sample, from those of the inputs."""
        return inputs[0]

    def variables(self, *inputs: Shape) -> Variables:
        """Name and shape of each variable, in Keras' order."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Input(Layer):
    """Where a batch enters; ``shape`` is that of one sample."""

    ARITY: ClassVar[int | None] = 0

    shape: Shape

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape


@dataclass(frozen=True, kw_only=True)
class Window(Layer):
    """What convolutions and poolings share: a window that slides over height and width."""

    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "valid"
    dilation: Pair = (1, 1)

    def spatial_shape(self, image: Shape) -> tuple[int | None, int | None]:
        """Height and width of the output."""
        if len(image) != 3:
            raise ValueError(f"layer {self.name!r} needs (height, width, channels), found {image}")
        sizes = []
        for axis in (0, 1):
            padding = self.padding if isinstance(self.padding, str) else self.padding[axis]
            sizes.append(
                output_size(
                    image[axis],
                    self.kernel_size[axis],
                    self.strides[axis],
                    padding,
                    self.dilation[axis],
                )
            )
        return sizes[0], sizes[1]


@dataclass(frozen=True, kw_only=True)
class Conv2D(Window):
    """Standard convolution; with a 1 x 1 kernel, the paper's pointwise convolution."""

    filters: int
    use_bias: bool = True
    activation: str = "linear"

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*self.spatial_shape(inputs[0]), self.filters)

    def variables(self, *inputs: Shape) -> Variables:
        kernel = {"kernel": (*self.kernel_size, channels(inputs[0]), self.filters)}
        return kernel | ({"bias": (self.filters,)} if self.use_bias else {})


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv2D(Window):
    """One filter for each input channel; ``depth_multiplier`` outputs a channel."""

    depth_multiplier: int = 1
    use_bias: bool = True
    activation: str = "linear"

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*self.spatial_shape(inputs[0]), channels(inputs[0]) * self.depth_multiplier)

    def variables(self, *inputs: Shape) -> Variables:
        size = channels(inputs[0])
        kernel = {"kernel": (*self.kernel_size, size, self.depth_multiplier)}
        return kernel | ({"bias": (size * self.depth_multiplier,)} if self.use_bias else {})


@dataclass(frozen=True, kw_only=True)
class SeparableConv2D(Window):
    """Depthwise then pointwise as one layer, with nothing between them (Keras' layer)."""

    filters: int
    depth_multiplier: int = 1
    use_bias: bool = True
    activation: str = "linear"

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*self.spatial_shape(inputs[0]), self.filters)

    def variables(self, *inputs: Shape) -> Variables:
        size = channels(inputs[0])
        kernels = {
            "depthwise_kernel": (*self.kernel_size, size, self.depth_multiplier),
            "pointwise_kernel": (1, 1, size * self.depth_multiplier, self.filters),
        }
        return kernels | ({"bias": (self.filters,)} if self.use_bias else {})


@dataclass(frozen=True, kw_only=True)
class BatchNormalization(Layer):
    """Inference-time batch norm over the channels: the moving statistics are used."""

    NON_TRAINABLE: ClassVar[frozenset[str]] = frozenset({"moving_mean", "moving_variance"})

    epsilon: float = 1e-3
    momentum: float = 0.99
    center: bool = True
    scale: bool = True

    def variables(self, *inputs: Shape) -> Variables:
        size = (channels(inputs[0]),)
        names = ["gamma"] if self.scale else []
        names += ["beta"] if self.center else []
        return dict.fromkeys([*names, "moving_mean", "moving_variance"], size)


@dataclass(frozen=True, kw_only=True)
class ReLU(Layer):
    """max(x, 0), cut off at ``max_value`` if there is one (6 in MobileNet V1 and V2)."""

    max_value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Activation(Layer):
    """An activation by Keras' name: ``"softmax"``, ``"linear"``, ``"relu"``, ``"sigmoid"``, ..."""

    activation: str


@dataclass(frozen=True, kw_only=True)
class Add(Layer):
    """Sum of inputs of one shape: the residual of V2."""

    ARITY: ClassVar[int | None] = None

    def output_shape(self, *inputs: Shape) -> Shape:
        if any(shape != inputs[0] for shape in inputs):
            raise ValueError(f"layer {self.name!r} cannot add shapes {inputs}")
        return inputs[0]


@dataclass(frozen=True, kw_only=True)
class ZeroPadding2D(Layer):
    """Zeros around the image, ``((top, bottom), (left, right))``."""

    padding: tuple[Pair, Pair]

    def output_shape(self, *inputs: Shape) -> Shape:
        height, width, depth = inputs[0]
        vertical, horizontal = sum(self.padding[0]), sum(self.padding[1])
        return (
            None if height is None else height + vertical,
            None if width is None else width + horizontal,
            depth,
        )


@dataclass(frozen=True, kw_only=True)
class MaxPooling2D(Window):
    """Largest value of each window; padding is never the largest."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*self.spatial_shape(inputs[0]), inputs[0][-1])


@dataclass(frozen=True, kw_only=True)
class AveragePooling2D(Window):
    """Mean of each window; padding does not count as a value."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*self.spatial_shape(inputs[0]), inputs[0][-1])


@dataclass(frozen=True, kw_only=True)
class _GlobalPooling2D(Layer):
    keepdims: bool = False

    def output_shape(self, *inputs: Shape) -> Shape:
        depth = inputs[0][-1]
        return (1, 1, depth) if self.keepdims else (depth,)


@dataclass(frozen=True, kw_only=True)
class GlobalAveragePooling2D(_GlobalPooling2D):
    """Mean over height and width: the embedding of a MobileNet."""


@dataclass(frozen=True, kw_only=True)
class GlobalMaxPooling2D(_GlobalPooling2D):
    """Largest value over height and width."""


@dataclass(frozen=True, kw_only=True)
class Dense(Layer):
    """Matrix product with the last axis, plus bias."""

    units: int
    use_bias: bool = True
    activation: str = "linear"

    def output_shape(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:-1], self.units)

    def variables(self, *inputs: Shape) -> Variables:
        kernel = {"kernel": (channels(inputs[0]), self.units)}
        return kernel | ({"bias": (self.units,)} if self.use_bias else {})


@dataclass(frozen=True, kw_only=True)
class Flatten(Layer):
    """All axes of a sample in one, in C order."""

    def output_shape(self, *inputs: Shape) -> Shape:
        return (None,) if None in inputs[0] else (count(inputs[0]),)


@dataclass(frozen=True, kw_only=True)
class Reshape(Layer):
    """The same values under another shape; one axis may be -1."""

    target_shape: tuple[int, ...]

    def output_shape(self, *inputs: Shape) -> Shape:
        if None in inputs[0]:
            return tuple(None if size == -1 else size for size in self.target_shape)
        total = count(inputs[0])
        known = count(tuple(size for size in self.target_shape if size != -1))
        target = tuple(total // known if size == -1 else size for size in self.target_shape)
        if count(target) != total:
            raise ValueError(
                f"layer {self.name!r} cannot reshape {inputs[0]} to {self.target_shape}"
            )
        return target


@dataclass(frozen=True, kw_only=True)
class Dropout(Layer):
    """Identity when a network is only run, which is all that happens here."""

    rate: float


@dataclass(frozen=True, kw_only=True)
class Identity(Layer):
    """A layer of a saved model that does nothing at inference, such as random augmentation."""


@dataclass(frozen=True, kw_only=True)
class Rescaling(Layer):
    """``x * scale + offset``, with one value each or one a channel."""

    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...] = 0.0


@dataclass(frozen=True, kw_only=True)
class Normalization(Layer):
    """``(x - mean) / max(sqrt(variance), 1e-7)`` over the channels, with statistics from a file.

    ``whole``: one mean and one variance for all values.
    """

    NON_TRAINABLE: ClassVar[frozenset[str]] = frozenset({"mean", "variance"})

    whole: bool = False

    def variables(self, *inputs: Shape) -> Variables:
        size = () if self.whole else (channels(inputs[0]),)
        return {"mean": size, "variance": size}
