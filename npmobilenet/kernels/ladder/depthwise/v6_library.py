"""The library's kernel: goes through memory in order, with tiles that fit the image's width.

Fixes the jumps: all channels of a few pixels, then the next pixels. Fixes the pixels computed
twice: of two lengths of tiles it takes the one that wastes less. It also applies batch norm
and the limits of an activation before the sums leave the registers, takes kernels of any size and
dilation, and reads its rows from a ring where an expansion has just written them.
"""

from npmobilenet.kernels.depthwise import depthwise_row, pack_depthwise
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array
from npmobilenet.kernels.ladder.depthwise.channels import filters
from npmobilenet.kernels.ladder.library import plain_layer, result_in, rows_of, with_norm
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.window import Window, moved


@entry
def convolve(x, w, norm, window, out):
    rows, layer, result = rows_of(x), plain_layer(w, norm), result_in(out)
    packed = (w.size - norm) // 2
    for y in range(window.out_height):
        depthwise_row(rows, window, y, layer, packed, moved(result, y * window.out_width))


def prepare(window: Window, kernel: Array) -> Run:
    return bind(convolve, *with_norm(pack_depthwise(filters(kernel)), window.channels), window)
