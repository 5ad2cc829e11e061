"""What analyses need to know of layers that blend pixels: how many make one, and how."""

from npmobilenet.architecture import Layer, Shape
from npmobilenet.architecture.geometry import as_resizing
from npmobilenet.reference.geometry import aspect_box, aspect_margins
from npmobilenet.reference.resampling import CONVEX, taps


def passes(layer: Layer, image: Shape) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Values and taps of each value, for rows and then for columns; ``None`` if nothing is blended.

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
    rows, columns = (
        taps(inputs, outputs, resizing.interpolation, resizing.antialias)[0].shape[1]
        for inputs, outputs in zip((height, width), size, strict=True)
    )
    return (size[0] * width * depth, rows), (size[0] * size[1] * depth, columns)


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
