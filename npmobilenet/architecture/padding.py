"""Padding and output size of a sliding window: the one place where SAME is worked out."""

from typing import Literal

Padding = Literal["same", "valid"] | tuple[tuple[int, int], tuple[int, int]]
"""``"same"``, ``"valid"`` or explicit zeros: ``((top, bottom), (left, right))``."""


def window_extent(kernel: int, dilation: int) -> int:
    """How many input values a dilated kernel spans from its first tap to its last."""
    return (kernel - 1) * dilation + 1


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after one axis for TensorFlow's SAME.

    The output has ``ceil(size / stride)`` values; the odd zero, if any, goes to the end. So a
    stride of 2 pads ``(0, 1)`` on even sizes and ``(1, 1)`` on odd ones (kernel 3): padding
    ``(1, 1)`` always, as other frameworks do, shifts the whole feature map by one pixel.
    Source: TensorFlow, ``tf.nn`` "Notes on padding".
    """
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + window_extent(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def explicit_padding(
    padding: Padding,
    size: tuple[int, int],
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros around an image of ``size`` (height, width), as ``((top, bottom), (left, right))``."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        return (
            same_padding(size[0], kernel[0], strides[0], dilation[0]),
            same_padding(size[1], kernel[1], strides[1], dilation[1]),
        )
    return padding


def output_size(
    size: int | None,
    kernel: int,
    stride: int,
    padding: Literal["same", "valid"] | tuple[int, int],
    dilation: int = 1,
) -> int | None:
    """Outputs along one axis; ``None`` for an axis of any size.

    Raises
    ------
    ValueError
        If the window does not fit into the padded axis once.
    """
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    before, after = (0, 0) if padding == "valid" else padding
    room = size + before + after - window_extent(kernel, dilation)
    if room < 0:
        raise ValueError(
            f"a window of {window_extent(kernel, dilation)} does not fit into an axis of "
            f"{size} padded by ({before}, {after})"
        )
    return room // stride + 1
