"""The library's kernel: a few rows are filtered, and mixed while they are still in the cache.

Fixes the way through memory: the depthwise result is never there as a whole.
"""

from npmobilenet.kernels.depthwise import pack_depthwise
from npmobilenet.kernels.fused import separable_rows
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import aligned, with_biases
from npmobilenet.kernels.ladder.depthwise.channels import filters
from npmobilenet.kernels.ladder.pointwise.matrices import matrix
from npmobilenet.kernels.ladder.rung import Array, Run, bind
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window

_GROUP = 392  # pixels: their depthwise result stays in L2, and the panels are read for all of them


@entry
def convolve(x, w, depthwise, pointwise, window, step, between, out):
    x, out, columns = x.reshape(-1), out.reshape(-1), out.shape[2]
    packed = (window.channels + LANES - 1) // LANES * LANES
    for y in range(0, window.out_height, step):
        stop = min(y + step, window.out_height)
        separable_rows(
            x, 0, window, y, stop, x.size, between, 0, w, depthwise, packed, pointwise, columns,
            x, -1, out, 0,
        )  # fmt: skip


def prepare(window: Window, depthwise_kernel: Array, pointwise_kernel: Array) -> Run:
    w, (depthwise, pointwise) = with_biases(
        (pack_depthwise(filters(depthwise_kernel)), window.channels),
        (pack_panels(matrix(pointwise_kernel)), pointwise_kernel.shape[-1]),
    )
    step = min(max(1, _GROUP // window.out_width), window.out_height)
    between = aligned((step * window.out_width * window.channels,))
    return bind(convolve, w, depthwise, pointwise, window, step, between)
