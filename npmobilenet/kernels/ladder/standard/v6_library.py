"""The library's kernel: a few rows of the image at a time, each panel used for all of them.

Fixes the traffic: the padded rows are few enough for L1 or L2, a panel is read once for each group of
rows, and the next one is prefetched. It also adds the bias, a residual and the limits of an
activation before the sums leave the registers.
"""

from npmobilenet.kernels.convolution import convolution_rows
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import aligned, padded_shape, with_biases
from npmobilenet.kernels.ladder.rung import Array, Run, bind
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window

_GROUP = 128  # pixels: enough to pay for a panel's way from L2


@entry
def convolve(x, w, layer, window, step, padded, out):
    x, out, columns = x.reshape(-1), out.reshape(-1), out.shape[2]
    for y in range(0, window.out_height, step):
        stop = min(y + step, window.out_height)
        convolution_rows(x, 0, window, y, stop, padded, 0, w, layer, columns, x, -1, out, 0)


def prepare(window: Window, kernel: Array) -> Run:
    filters = kernel.shape[-1]
    w, (layer,) = with_biases((pack_panels(kernel.reshape(-1, filters)), filters))
    step = min(max(1, _GROUP // window.out_width), window.out_height)
    padded = aligned(padded_shape(window._replace(out_height=step))).reshape(-1)
    return bind(convolve, w, layer, window, step, padded)
