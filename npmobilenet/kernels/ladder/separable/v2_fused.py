"""The library's kernel: a few rows are filtered, and mixed while they are still in the cache.

Fixes the way through memory: the depthwise result is never there as a whole.
"""

from npmobilenet.kernels.depthwise import pack_depthwise
from npmobilenet.kernels.fused import separable_rows
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array, aligned
from npmobilenet.kernels.ladder.depthwise.channels import filters
from npmobilenet.kernels.ladder.library import (
    plain_layer,
    pointer_to,
    result_in,
    rows_of,
    with_norm,
)
from npmobilenet.kernels.ladder.pointwise.matrices import matrix
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window, moved

_GROUP = 392  # pixels: their depthwise result stays in L2, and the panels are read for all of them


@entry
def convolve(x, w, norm, v, mixed_norm, window, step, between, out):
    rows, room, result = rows_of(x), pointer_to(between), result_in(out)
    depthwise, pointwise = plain_layer(w, norm), plain_layer(v, mixed_norm)
    packed, columns = (w.size - norm) // 2, out.shape[2]
    for y in range(0, window.out_height, step):
        end, there = min(y + step, window.out_height), moved(result, y * window.out_width)
        separable_rows(rows, window, y, end, room, 0, depthwise, packed, pointwise, columns, there)


def prepare(window: Window, depthwise_kernel: Array, pointwise_kernel: Array) -> Run:
    mixing = matrix(pointwise_kernel)
    step = min(max(1, _GROUP // window.out_width), window.out_height)
    return bind(
        convolve,
        *with_norm(pack_depthwise(filters(depthwise_kernel)), window.channels),
        *with_norm(pack_panels(mixing), mixing.shape[1]),
        window,
        step,
        aligned((step, window.out_width, window.channels)),
    )
