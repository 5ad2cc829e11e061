"""Layers that move, choose or blend pixels and have no weights, with Keras' names and defaults."""

from dataclasses import dataclass

from npmobilenet.architecture.layers import Layer, Pair
from npmobilenet.architecture.shapes import Shape


def _image(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ValueError(f"layer {layer.name!r} needs (height, width, channels), found {shape}")
    return shape


@dataclass(frozen=True, kw_only=True)
class Resizing(Layer):
    """Images at another size, as ``tf.image.resize`` makes them.

    ``crop_to_aspect_ratio`` first keeps the largest central part of the new aspect ratio;
    ``pad_to_aspect_ratio`` first adds ``fill_value`` on both sides. With ``antialias`` filters
    widen as images shrink.
    """

    height: int
    width: int
    interpolation: str = "bilinear"
    antialias: bool = False
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_value: float = 0.0

    def output_shape(self, *inputs: Shape) -> Shape:
        return (self.height, self.width, _image(self, inputs[0])[-1])


@dataclass(frozen=True, kw_only=True)
class CenterCrop(Layer):
    """The middle of an image; a smaller image is resized so that it fills the size."""

    height: int
    width: int

    def output_shape(self, *inputs: Shape) -> Shape:
        return (self.height, self.width, _image(self, inputs[0])[-1])


@dataclass(frozen=True, kw_only=True)
class Cropping2D(Layer):
    """An image without its edges, ``((top, bottom), (left, right))``."""

    cropping: tuple[Pair, Pair]

    def output_shape(self, *inputs: Shape) -> Shape:
        *sides, depth = _image(self, inputs[0])
        kept = [
            None if size is None else size - sum(cut)
            for size, cut in zip(sides, self.cropping, strict=True)
        ]
        if any(size is not None and size < 1 for size in kept):
            raise ValueError(f"layer {self.name!r} cuts {self.cropping} from {inputs[0]}")
        return (*kept, depth)


@dataclass(frozen=True, kw_only=True)
class UpSampling2D(Layer):
    """An image enlarged by whole numbers."""

    size: Pair
    interpolation: str = "nearest"

    def output_shape(self, *inputs: Shape) -> Shape:
        *sides, depth = _image(self, inputs[0])
        grown = (
            None if size is None else size * factor
            for size, factor in zip(sides, self.size, strict=True)
        )
        return (*grown, depth)


@dataclass(frozen=True, kw_only=True)
class Permute(Layer):
    """The axes of a sample in another order; the first one is 1."""

    dims: tuple[int, ...]

    def output_shape(self, *inputs: Shape) -> Shape:
        if sorted(self.dims) != list(range(1, len(inputs[0]) + 1)):
            raise ValueError(f"layer {self.name!r} cannot order {inputs[0]} as {self.dims}")
        return tuple(inputs[0][axis - 1] for axis in self.dims)


@dataclass(frozen=True, kw_only=True)
class RepeatVector(Layer):
    """A vector ``n`` times under itself."""

    n: int

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != 1:
            raise ValueError(f"layer {self.name!r} repeats vectors, found {inputs[0]}")
        return (self.n, *inputs[0])


def as_resizing(layer: Layer, image: Shape) -> Resizing | None:
    """The resizing that a layer does to an image of this shape; ``None`` if it blends no pixels.

    Raises
    ------
    ValueError
        If that depends on a size that is not known.
    """
    height, width = image[:2]
    if isinstance(layer, UpSampling2D | CenterCrop) and (height is None or width is None):
        raise ValueError(f"layer {layer.name!r}: height and width of {image} must be known")
    if isinstance(layer, UpSampling2D):
        size = (height or 0) * layer.size[0], (width or 0) * layer.size[1]
        found = Resizing(
            name=layer.name, height=size[0], width=size[1], interpolation=layer.interpolation
        )
    elif isinstance(layer, CenterCrop):
        if (height or 0) >= layer.height and (width or 0) >= layer.width:
            return None
        found = Resizing(
            name=layer.name, height=layer.height, width=layer.width, crop_to_aspect_ratio=True
        )
    elif isinstance(layer, Resizing):
        found = layer
    else:
        return None
    return found
