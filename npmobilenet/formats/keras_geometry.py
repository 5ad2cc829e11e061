"""Layers and calls that move, choose or blend pixels: Keras' own, tf.image's and keras.ops'."""

from collections.abc import Callable
from typing import Any

from npmobilenet.architecture import (
    CenterCrop,
    Cropping2D,
    Identity,
    Layer,
    Permute,
    RepeatVector,
    Reshape,
    Resizing,
    Shape,
    UpSampling2D,
    ZeroPadding2D,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Fields
from npmobilenet.formats.messages import shown
from npmobilenet.reference.resampling import INTERPOLATIONS

# TensorFlow's own name beside Keras'.
_LONGEST = 1 << 16  # pixels of a side that a file may ask for
_MOST_ODD = 256  # times that a side may be the other, or what it was
_METHODS = {"nearest_neighbor": "nearest"}


def _interpolation(fields: Fields, default: str = "bilinear") -> str:
    name = fields.text("interpolation", default).lower()
    if name not in INTERPOLATIONS:
        raise fields.refuse("interpolation", f"one of {', '.join(INTERPOLATIONS)}")
    return name


def _resizing(fields: Fields) -> Layer:
    return _resized(fields, fields.count("height"), fields.count("width"))


def _resized(fields: Fields, height: int, width: int) -> Layer:
    _check_sides(fields, height, width)
    crops = fields.flag("crop_to_aspect_ratio", False)
    pads = fields.flag("pad_to_aspect_ratio", False)
    if crops and pads:
        raise fields.refuse("pad_to_aspect_ratio", "false where crop_to_aspect_ratio is true")
    if pads and max(height, width) > _MOST_ODD * min(height, width):
        raise fields.refuse(
            "pad_to_aspect_ratio", f"false where a side is {_MOST_ODD} times the other"
        )
    if fields.text("fill_mode", "constant") != "constant":
        raise fields.refuse("fill_mode", "'constant'")
    return Resizing(
        name=fields.name,
        height=height,
        width=width,
        interpolation=_interpolation(fields),
        antialias=fields.flag("antialias", False),
        crop_to_aspect_ratio=crops,
        pad_to_aspect_ratio=pads,
        fill_value=fields.number("fill_value", 0.0) or 0.0,
    )


def _check_sides(fields: Fields, *sides: int) -> None:
    if max(sides) > _LONGEST:
        raise ModelFileError(f"{fields}: makes {sides} pixels; sides up to {_LONGEST} are read")


def _center_crop(fields: Fields) -> Layer:
    height, width = fields.count("height"), fields.count("width")
    _check_sides(fields, height, width)
    return CenterCrop(name=fields.name, height=height, width=width)


def _random_crop(fields: Fields) -> Layer:
    """Keras 2 resizes when a network only runs; Keras 3 passes pictures on as large as they are."""
    height, width = fields.count("height"), fields.count("width")
    fields.skip()
    if fields.keras is None:
        raise ModelFileError(
            f"{fields}: needs a file that says which Keras wrote it: 2 resizes, 3 does nothing"
        )
    if fields.keras == 3:
        return Identity(name=fields.name)
    _check_sides(fields, height, width)
    return Resizing(name=fields.name, height=height, width=width, crop_to_aspect_ratio=True)


def edges(fields: Fields, field: str, default: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) in any of the forms that Keras takes."""
    value = fields.raw(field, default)
    sides = value if isinstance(value, list) else [value, value]
    pairs = [side if isinstance(side, list) else [side, side] for side in sides]
    flat = [size for pair in pairs for size in pair]
    whole = all(type(size) is int and 0 <= size < 1 << 16 for size in flat)
    if len(pairs) != 2 or any(len(pair) != 2 for pair in pairs) or not whole:
        raise fields.refuse(field, "((top, bottom), (left, right))")
    top, bottom, left, right = flat
    return (top, bottom), (left, right)


def _cropping(fields: Fields) -> Layer:
    return Cropping2D(name=fields.name, cropping=edges(fields, "cropping", 0))


def _upsampling(fields: Fields) -> Layer:
    size = fields.pair("size", (2, 2))
    if max(size) > _MOST_ODD:
        raise fields.refuse("size", f"at most {_MOST_ODD}")
    return UpSampling2D(
        name=fields.name,
        size=size,
        interpolation=_interpolation(fields, "nearest"),
    )


def _permute(fields: Fields) -> Layer:
    return Permute(name=fields.name, dims=_order(fields, "dims", fields.raw("dims"), first=1))


def _order(fields: Fields, what: str, value: Any, first: int) -> tuple[int, ...]:
    """Axes in another order, counted from ``first``, without the batch."""
    axes = list(range(first, fields.rank + first))
    if (
        not isinstance(value, list)
        or not all(type(axis) is int for axis in value)
        or sorted(value) != axes
    ):
        raise ModelFileError(f"{fields}: {what} is {shown(value)}, expected an order of {axes}")
    return tuple(value)


def _repeat_vector(fields: Fields) -> Layer:
    return RepeatVector(name=fields.name, n=fields.count("n"))


GEOMETRY_READERS: dict[str, Callable[[Fields], Layer]] = {
    "CenterCrop": _center_crop,
    "Cropping2D": _cropping,
    "Permute": _permute,
    "RandomCrop": _random_crop,
    "RepeatVector": _repeat_vector,
    "Resizing": _resizing,
    "UpSampling2D": _upsampling,
}


def geometry_call(fields: Fields, shape: Shape) -> Layer | None:
    """The layer that a call of TensorFlow or ``keras.ops`` on one tensor amounts to.

    Parameters
    ----------
    fields : Fields
    shape : tuple
        Of the sample that it is called on.

    Returns
    -------
    Layer or None
        ``None`` if it is no call known here.

    Raises
    ------
    ModelFileError
        If the call is known, but not with these arguments.
    """
    function = fields.raw("function") if fields.class_name == "TFOpLambda" else None
    if function is not None:
        reader = _TF_CALLS.get(function) if isinstance(function, str) else None
    elif fields.class_name == "Reshape" and fields.raw("target_shape") is None:
        reader = _ops_reshape
    else:
        reader = _OPS.get(fields.class_name)
    if reader is None:
        return None
    layer = reader(fields, shape)
    fields.finish()
    return layer


def _ops_resize(fields: Fields, shape: Shape) -> Layer:
    _check_data_format(fields)
    return _resized(fields, *fields.pair("size"))


def _check_data_format(fields: Fields) -> None:
    if fields.text("data_format", "channels_last") != "channels_last":
        raise fields.refuse("data_format", "'channels_last'")


def _ops_transpose(fields: Fields, shape: Shape) -> Layer:
    return _transposed(fields, "axes", fields.raw("axes"))


def _transposed(fields: Fields, what: str, axes: Any) -> Layer:
    if not isinstance(axes, list) or not axes or axes[0] != 0:
        raise ModelFileError(
            f"{fields}: {what} is {shown(axes)}, expected an order that leaves the batch first"
        )
    return Permute(name=fields.name, dims=_order(fields, what, axes[1:], first=1))


def _ops_reshape(fields: Fields, shape: Shape) -> Layer:
    return _reshaped(fields, "newshape", fields.raw("newshape"), shape)


def _reshaped(fields: Fields, what: str, target: Any, shape: Shape) -> Layer:
    """A reshape that says the batch too: -1, while every other axis is known."""
    known = isinstance(target, list) and target and all(type(size) is int for size in target)
    if not known or target[0] != -1 or not all(0 < size < 1 << 31 for size in target[1:]):
        raise ModelFileError(
            f"{fields}: {what} is {shown(target)}, expected -1 for the batch and sizes for the rest"
        )
    if len(target) == 1:
        raise ModelFileError(f"{fields}: {what} is {shown(target)}, which leaves no batch")
    return Reshape(name=fields.name, target_shape=tuple(target[1:]))


def _ops_squeeze(fields: Fields, shape: Shape) -> Layer:
    return _squeezed(fields, fields.raw("axis"), shape)


def _squeezed(fields: Fields, axes: Any, shape: Shape) -> Layer:
    axes = axes if isinstance(axes, list) else [axes]
    rank = len(shape) + 1
    if not axes or not all(type(axis) is int and -rank < axis < rank for axis in axes):
        raise ModelFileError(f"{fields}: axis is {shown(axes)}, expected axes of {shape}")
    cut = {axis % rank for axis in axes}
    left = [size for axis, size in enumerate(shape, start=1) if axis not in cut]
    if 0 in cut or not left or any(shape[axis - 1] != 1 for axis in cut):
        raise ModelFileError(f"{fields}: axis is {shown(axes)}, expected axes of size 1 of {shape}")
    if None in left:
        raise ModelFileError(f"{fields}: is called on {shape}, expected known sizes")
    return Reshape(name=fields.name, target_shape=tuple(size or 0 for size in left))


def _ops_edges(fields: Fields, shape: Shape, kind: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Top, bottom, left and right, of which a target size may leave one open."""
    _check_data_format(fields)
    sign = 1 if kind == "padding" else -1
    found = []
    for size, axis, (before, after) in zip(
        shape, ("height", "width"), (("top", "bottom"), ("left", "right")), strict=False
    ):
        ends = [fields.raw(f"{end}_{kind}") for end in (before, after)]
        target = fields.raw(f"target_{axis}")
        if target is not None and None in ends and ends != [None, None] and size is not None:
            given = next(end for end in ends if end is not None)
            if type(target) is int and type(given) is int:
                ends[ends.index(None)] = sign * (target - size) - given
        if not all(type(end) is int and 0 <= end < 1 << 16 for end in ends):
            raise ModelFileError(f"{fields}: {before} and {after} are {shown(ends)}, not known")
        found.append((int(ends[0]), int(ends[1])))
    return found[0], found[1]


def _ops_crop(fields: Fields, shape: Shape) -> Layer:
    return Cropping2D(name=fields.name, cropping=_ops_edges(fields, shape, "cropping"))


def _ops_pad(fields: Fields, shape: Shape) -> Layer:
    return ZeroPadding2D(name=fields.name, padding=_ops_edges(fields, shape, "padding"))


_OPS: dict[str, Callable[[Fields, Shape], Layer]] = {
    "CropImages": _ops_crop,
    "PadImages": _ops_pad,
    "Resize": _ops_resize,
    "Squeeze": _ops_squeeze,
    "Transpose": _ops_transpose,
}


def _tf_resize(fields: Fields, shape: Shape) -> Layer:
    size = fields.argument("size")
    if not isinstance(size, list) or len(size) != 2 or not all(_is_size(side) for side in size):
        raise ModelFileError(f"{fields}: size is {shown(size)}, expected two positive integers")
    method = fields.argument("method", "bilinear")
    method = _METHODS.get(method, method) if isinstance(method, str) else method
    if method not in INTERPOLATIONS:
        raise ModelFileError(
            f"{fields}: method is {shown(method)}, expected one of {', '.join(INTERPOLATIONS)}"
        )
    if fields.argument("preserve_aspect_ratio", False) is not False:
        raise ModelFileError(f"{fields}: preserve_aspect_ratio is true, which is not supported")
    antialias = fields.argument("antialias", False)
    if not isinstance(antialias, bool):
        raise ModelFileError(f"{fields}: antialias is {shown(antialias)}, expected true or false")
    return Resizing(
        name=fields.name,
        height=size[0],
        width=size[1],
        interpolation=method,
        antialias=antialias,
    )


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 < value <= _LONGEST


def _known_sides(fields: Fields, shape: Shape) -> tuple[int, int]:
    if len(shape) != 3 or shape[0] is None or shape[1] is None:
        raise ModelFileError(f"{fields}: is called on {shape}, expected images of a known size")
    return shape[0], shape[1]


def _tf_central_crop(fields: Fields, shape: Shape) -> Layer:
    fraction = fields.argument("central_fraction")
    if not isinstance(fraction, int | float) or not 0 < fraction <= 1:
        raise ModelFileError(
            f"{fields}: central_fraction is {shown(fraction)}, expected above 0 and at most 1"
        )
    top, left = (int((side - side * fraction) / 2) for side in _known_sides(fields, shape))
    return Cropping2D(name=fields.name, cropping=((top, top), (left, left)))


def _tf_crop(fields: Fields, shape: Shape) -> Layer:
    cropping = []
    for side, axis in zip(_known_sides(fields, shape), ("height", "width"), strict=True):
        offset, target = fields.argument(f"offset_{axis}"), fields.argument(f"target_{axis}")
        whole = type(offset) is int and _is_size(target)
        if not whole or offset < 0 or offset + target > side:
            raise ModelFileError(
                f"{fields}: keeps {shown(target)} from {shown(offset)} of {side} pixels"
            )
        cropping.append((offset, side - offset - target))
    return Cropping2D(name=fields.name, cropping=(cropping[0], cropping[1]))


def _tf_pad(fields: Fields, shape: Shape) -> Layer:
    padding = []
    for side, axis in zip(_known_sides(fields, shape), ("height", "width"), strict=True):
        offset, target = fields.argument(f"offset_{axis}"), fields.argument(f"target_{axis}")
        whole = type(offset) is int and _is_size(target)
        if not whole or offset < 0 or offset + side > target:
            raise ModelFileError(
                f"{fields}: puts {side} pixels at {shown(offset)} of {shown(target)}"
            )
        padding.append((offset, target - offset - side))
    return ZeroPadding2D(name=fields.name, padding=(padding[0], padding[1]))


def _tf_transpose(fields: Fields, shape: Shape) -> Layer:
    if fields.argument("conjugate", False) is not False:
        raise ModelFileError(f"{fields}: conjugate is true, which is not supported")
    return _transposed(fields, "perm", fields.argument("perm"))


def _tf_reshape(fields: Fields, shape: Shape) -> Layer:
    return _reshaped(fields, "shape", fields.argument("shape"), shape)


def _tf_squeeze(fields: Fields, shape: Shape) -> Layer:
    return _squeezed(fields, fields.argument("axis"), shape)


_TF_CALLS: dict[str, Callable[[Fields, Shape], Layer]] = {
    "compat.v1.squeeze": _tf_squeeze,
    "compat.v1.transpose": _tf_transpose,
    "image.central_crop": _tf_central_crop,
    "image.crop_to_bounding_box": _tf_crop,
    "image.pad_to_bounding_box": _tf_pad,
    "image.resize": _tf_resize,
    "reshape": _tf_reshape,
    "squeeze": _tf_squeeze,
    "transpose": _tf_transpose,
}
