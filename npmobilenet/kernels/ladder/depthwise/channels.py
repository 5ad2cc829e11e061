"""What the depthwise rungs share."""

from npmobilenet.kernels.ladder.buffers import Array

PIXELS = 7
"""Length of a tile: 7 divides every width of MobileNet at 224 pixels."""


def filters(kernel: Array) -> Array:
    """A depthwise kernel ``(3, 3, C, 1)`` as ``(3, 3, C)``."""
    return kernel.reshape(kernel.shape[:3])
