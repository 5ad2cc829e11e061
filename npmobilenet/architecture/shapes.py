"""The shape of one sample: no batch axis, channels last, ``None`` where any size will do."""

Shape = tuple[int | None, ...]


def channels(shape: Shape) -> int:
    """The size of the last axis, which every layer with weights needs to know."""
    size = shape[-1]
    if size is None:
        raise ValueError(f"the last axis of {shape} must be known")
    return size


def count(shape: Shape) -> int:
    """The number of values in a sample of this shape; every axis must be known."""
    total = 1
    for size in shape:
        if size is None:
            raise ValueError(f"every axis of {shape} must be known")
        total *= size
    return total
