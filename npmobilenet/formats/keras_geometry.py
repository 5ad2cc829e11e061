"""Keras' layers that move, choose or blend pixels."""

from collections.abc import Callable
from typing import Any

from npmobilenet.architecture import (
    CenterCrop,
    Cropping2D,
    Identity,
    Layer,
    Permute,
    RepeatVector,
    Resizing,
    UpSampling2D,
)
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.keras_fields import Fields
from npmobilenet.formats.messages import shown
from npmobilenet.reference.resampling import INTERPOLATIONS

LONGEST = 1 << 16  # pixels of a side that a file may ask for
_MOST_ODD = 256  # times that a side may be the other, or what it was


def _interpolation(fields: Fields, default: str = "bilinear") -> str:
    name = fields.text("interpolation", default).lower()
    if name not in INTERPOLATIONS:
        raise fields.refuse("interpolation", f"one of {', '.join(INTERPOLATIONS)}")
    return name


def _resizing(fields: Fields) -> Layer:
    return resized(fields, fields.count("height"), fields.count("width"))


def resized(fields: Fields, height: int, width: int) -> Layer:
    """The resizing that fields of a layer or of ``keras.ops.image.resize`` describe."""
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
    if max(sides) > LONGEST:
        raise ModelFileError(f"{fields}: makes {sides} pixels; sides up to {LONGEST} are read")


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
    return Permute(name=fields.name, dims=order(fields, "dims", fields.raw("dims"), first=1))


def order(fields: Fields, what: str, value: Any, first: int) -> tuple[int, ...]:
    """Axes in another order, counted from ``first``, without the batch.

    ``what`` names the value in messages.
    """
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
