"""A pointwise convolution is a matrix product: pixels are rows, whatever the image's shape."""

from collections.abc import Callable

from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.rung import Run


def on_matrices(product: Callable[..., None], *weights: object) -> Run:
    """A run that calls ``product(x, *weights, out)``, ``x (pixels, C)`` and ``out (pixels, K)``."""

    def run(image: Array, output: Array) -> None:
        x = image.reshape(-1, image.shape[-1])
        product(x, *weights, output.reshape(-1, output.shape[-1]))

    return run


def matrix(kernel: Array) -> Array:
    """A pointwise kernel ``(1, 1, C, K)`` as ``(C, K)``."""
    return kernel.reshape(kernel.shape[-2:])
