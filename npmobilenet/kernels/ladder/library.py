"""The arguments of the library's kernels: pointers, and weights with their norm behind them."""

import numpy as np

from npmobilenet.kernels.blocks import pack_norm
from npmobilenet.kernels.jit import inlined
from npmobilenet.kernels.ladder.buffers import Array, aligned_copy
from npmobilenet.kernels.tile import float32_at
from npmobilenet.kernels.window import Layer, Result, Rows


def with_norm(kernel: Array, filters: int) -> tuple[Array, int]:
    """A packed kernel with a norm behind it that changes nothing, and where the norm begins."""
    norm = pack_norm(np.zeros(filters, np.float32), np.ones(filters, np.float32))
    return aligned_copy(np.concatenate([kernel, norm])), kernel.size


@inlined
def pointer_to(array):
    """Where an array lies. A pointer in a tuple has no references that Numba would count."""
    return float32_at(array.ctypes.data)


@inlined
def plain_layer(w, norm):
    """Weights from :func:`with_norm`, and no activation."""
    return Layer(pointer_to(w), 0, norm, -np.inf, np.inf)


@inlined
def rows_of(image):
    """All rows of an :func:`~npmobilenet.kernels.ladder.buffers.aligned` image."""
    height, width, channels = image.shape
    return Rows(pointer_to(image), 0, height, width * channels, image.size)


@inlined
def result_in(out):
    """Pixels one after the other, nothing to add."""
    at = pointer_to(out)
    return Result(at, 0, out.shape[out.ndim - 1], at, -1)
