"""The library's kernel: the length of the tiles fits the width of the image.

Fixes the pixels computed twice: of two lengths it takes the one that wastes less. It also adds the
bias and applies the limits of an activation before the sums leave the registers, takes kernels of
any size and dilation, and reads its rows from a ring where an expansion has just written them.
"""

from npmobilenet.kernels.depthwise import depthwise_row, pack_depthwise
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import with_biases
from npmobilenet.kernels.ladder.depthwise.channels import filters
from npmobilenet.kernels.ladder.rung import Array, Run, bind
from npmobilenet.kernels.window import Window


@entry
def convolve(x, w, layer, window, out):
    channels = window.channels
    pitch = window.width * channels
    packed = (channels + LANES - 1) // LANES * LANES
    for y in range(window.out_height):
        target = y * window.out_width * channels
        depthwise_row(
            x, 0, window.height, pitch, window, y, x.size, w, layer, packed, out, target, channels
        )


def prepare(window: Window, kernel: Array) -> Run:
    w, (layer,) = with_biases((pack_depthwise(filters(kernel)), window.channels))
    return bind(convolve, w, layer, window)
