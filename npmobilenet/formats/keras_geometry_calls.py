"""Calls of TensorFlow and of ``keras.ops`` that move, choose or blend pixels."""

from collections.abc import Callable
from typing import Any

from npmobilenet.architecture import (
    Cropping2D,
    Layer,
    Permute,
    Reshape,
    Resizing,
    Shape,
    ZeroPadding2D,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Fields
from npmobilenet.formats.keras_geometry import LONGEST, order, resized
from npmobilenet.formats.messages import shown
from npmobilenet.reference.resampling import INTERPOLATIONS

# TensorFlow's own name beside Keras'.
_METHODS = {"nearest_neighbor": "nearest"}


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
    return resized(fields, *fields.pair("size"))


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
    return Permute(name=fields.name, dims=order(fields, what, axes[1:], first=1))


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
    if len(shape) != 3:
        raise ModelFileError(f"{fields}: is called on {shape}, expected images")
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


def _ops_pad_images(fields: Fields, shape: Shape) -> Layer:
    return ZeroPadding2D(name=fields.name, padding=_ops_edges(fields, shape, "padding"))


def _ops_pad(fields: Fields, shape: Shape) -> Layer:
    value = fields.argument("constant_values", 0)
    return _padded(fields, shape, fields.raw("pad_width"), fields.text("mode", "constant"), value)


def _padded(fields: Fields, shape: Shape, edges: Any, mode: Any, value: Any) -> Layer:
    """Zeros around images, with edges for the batch and the channels too."""
    if not isinstance(mode, str) or mode.lower() != "constant" or value != 0:
        raise ModelFileError(f"{fields}: pads by {shown(mode)} {shown(value)}, expected by zeros")
    pairs = edges if isinstance(edges, list) else []
    if (
        len(shape) != 3
        or len(pairs) != 4
        or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)
        or not all(type(size) is int and 0 <= size < LONGEST for pair in pairs for size in pair)
        or pairs[0] != [0, 0]
        or pairs[3] != [0, 0]
    ):
        raise ModelFileError(
            f"{fields}: pads {shape} by {shown(edges)}, expected height and width of images only"
        )
    (top, bottom), (left, right) = pairs[1:3]
    return ZeroPadding2D(name=fields.name, padding=((top, bottom), (left, right)))


def _ops_expand_dims(fields: Fields, shape: Shape) -> Layer:
    return _expanded(fields, fields.raw("axis"), shape)


def _expanded(fields: Fields, axis: Any, shape: Shape) -> Layer:
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    rank = len(shape) + 2
    if type(axis) is not int or not -rank < axis < rank or axis % rank == 0:
        raise ModelFileError(f"{fields}: axis is {shown(axis)}, expected one behind the batch")
    if None in shape:
        raise ModelFileError(f"{fields}: is called on {shape}, expected known sizes")
    sizes = [size or 0 for size in shape]
    sizes.insert(axis % rank - 1, 1)
    return Reshape(name=fields.name, target_shape=tuple(sizes))


_OPS: dict[str, Callable[[Fields, Shape], Layer]] = {
    "CropImages": _ops_crop,
    "ExpandDims": _ops_expand_dims,
    "Pad": _ops_pad,
    "PadImages": _ops_pad_images,
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
    return type(value) is int and 0 < value <= LONGEST


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


def _places(fields: Fields, shape: Shape) -> list[tuple[int, int, int]]:
    """Offset, target size and size of the image, for height and width."""
    found = []
    for side, axis in zip(_known_sides(fields, shape), ("height", "width"), strict=True):
        offset, target = fields.argument(f"offset_{axis}"), fields.argument(f"target_{axis}")
        if type(offset) is not int or offset < 0 or not _is_size(target):
            raise ModelFileError(
                f"{fields}: {axis} is {shown(target)} from {shown(offset)}, expected whole numbers"
            )
        found.append((offset, target, side))
    return found


def _tf_crop(fields: Fields, shape: Shape) -> Layer:
    edges = [(offset, side - offset - target) for offset, target, side in _places(fields, shape)]
    if min(end for _, end in edges) < 0:
        raise ModelFileError(f"{fields}: keeps more than there is of {shape}")
    return Cropping2D(name=fields.name, cropping=(edges[0], edges[1]))


def _tf_pad_to_box(fields: Fields, shape: Shape) -> Layer:
    edges = [(offset, target - offset - side) for offset, target, side in _places(fields, shape)]
    if min(end for _, end in edges) < 0:
        raise ModelFileError(f"{fields}: gives less than there is of {shape}")
    return ZeroPadding2D(name=fields.name, padding=(edges[0], edges[1]))


def _tf_pad(fields: Fields, shape: Shape) -> Layer:
    return _padded(
        fields,
        shape,
        fields.argument("paddings"),
        fields.argument("mode", "CONSTANT"),
        fields.argument("constant_values", 0),
    )


def _tf_expand_dims(fields: Fields, shape: Shape) -> Layer:
    return _expanded(fields, fields.argument("axis"), shape)


def _tf_transpose(fields: Fields, shape: Shape) -> Layer:
    if fields.argument("conjugate", False) is not False:
        raise ModelFileError(f"{fields}: conjugate is true, which is not supported")
    return _transposed(fields, "perm", fields.argument("perm"))


def _tf_reshape(fields: Fields, shape: Shape) -> Layer:
    return _reshaped(fields, "shape", fields.argument("shape"), shape)


def _tf_squeeze(fields: Fields, shape: Shape) -> Layer:
    return _squeezed(fields, fields.argument("axis"), shape)


_TF_CALLS: dict[str, Callable[[Fields, Shape], Layer]] = {
    "compat.v1.pad": _tf_pad,
    "compat.v1.squeeze": _tf_squeeze,
    "compat.v1.transpose": _tf_transpose,
    "expand_dims": _tf_expand_dims,
    "image.central_crop": _tf_central_crop,
    "image.crop_to_bounding_box": _tf_crop,
    "image.pad_to_bounding_box": _tf_pad_to_box,
    "image.resize": _tf_resize,
    "pad": _tf_pad,
    "reshape": _tf_reshape,
    "squeeze": _tf_squeeze,
    "transpose": _tf_transpose,
}
