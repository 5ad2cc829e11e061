"""The library's kernel: a few rows are filtered, and mixed while they are still in the cache.

Fixes the way through memory: the depthwise result is never there as a whole.
"""

import numpy as np

from npmobilenet.kernels.depthwise import pack_depthwise
from npmobilenet.kernels.fused import separable_rows
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import aligned, no_bias, together
from npmobilenet.kernels.ladder.depthwise.channels import filters
from npmobilenet.kernels.ladder.pointwise.matrices import matrix
from npmobilenet.kernels.ladder.rung import Array, Run, bind
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window

_INFINITY = np.float32(np.inf)
_GROUP = 392  # pixels: their depthwise result stays in L2, and the panels are read for all of them


@entry
def convolve(x, w, places, window, step, between, out):
    x, out, columns = x.reshape(-1), out.reshape(-1), out.shape[2]
    depthwise, depthwise_bias, pointwise, bias = places
    packed = (window.channels + LANES - 1) // LANES * LANES
    for y in range(0, window.out_height, step):
        separable_rows(
            x, 0, window, y, min(y + step, window.out_height), x.size, between, 0, w, depthwise,
            depthwise_bias, packed, -_INFINITY, _INFINITY, pointwise, bias, columns, -_INFINITY,
            _INFINITY, x, -1, out, 0,
        )  # fmt: skip


def prepare(window: Window, depthwise_kernel: Array, pointwise_kernel: Array) -> Run:
    columns = pointwise_kernel.shape[-1]
    w, places = together(
        pack_depthwise(filters(depthwise_kernel)),
        no_bias(window.channels),
        pack_panels(matrix(pointwise_kernel)),
        no_bias(columns),
    )
    step = min(max(1, _GROUP // window.out_width), window.out_height)
    between = aligned((step * window.out_width * window.channels,))
    return bind(convolve, w, tuple(places), window, step, between)
