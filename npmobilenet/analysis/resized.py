"""What analyses need to know of layers that blend pixels: how many make one, and how."""

from npmobilenet.architecture import Layer, Shape
from npmobilenet.architecture.geometry import as_resizing
from npmobilenet.reference.geometry import aspect_box, aspect_margins, axes_in_order
from npmobilenet.reference.resampling import CONVEX, taps


def passes(layer: Layer, image: Shape) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Values, and taps of each, along one axis and then the other; ``None`` if nothing is blended.

    Raises
    ------
    ValueError
        If a size is not known.
    """
    resizing = as_resizing(layer, image)
    if resizing is None:
        return None
    height, width, depth = image
    if height is None or width is None or depth is None:
        raise ValueError(f"every axis of {image} must be known")
    size = (resizing.height, resizing.width)
    if resizing.crop_to_aspect_ratio:
        _, _, height, width = aspect_box((height, width), size)
    elif resizing.pad_to_aspect_ratio:
        above, beside = aspect_margins((height, width), size)
        height, width = height + 2 * above, width + 2 * beside
    if (height, width) == size or resizing.interpolation == "nearest":
        return None
    sides = [height, width]
    found = []
    for axis in axes_in_order((height, width), size):
        picked, _ = taps(sides[axis], size[axis], resizing.interpolation, resizing.antialias)
        sides[axis] = size[axis]
        found.append((sides[0] * sides[1] * depth, picked.shape[1]))
    return found[0], found[1]


def check_convex(layer: Layer) -> None:
    """Refuse a blend that may give values beyond those of the pixels.

    Raises
    ------
    ValueError
        If weights of its interpolation may be negative.
    """
    interpolation = getattr(layer, "interpolation", "bilinear")
    if interpolation not in CONVEX:
        raise ValueError(
            f"layer {layer.name!r} is a {type(layer).__name__} with interpolation "
            f"{interpolation!r}, for which no bounds are known"
        )
