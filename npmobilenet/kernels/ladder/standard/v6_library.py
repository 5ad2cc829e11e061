"""The library's kernel: a few rows of the image at a time, each panel used for all of them.

Fixes the traffic: the padded rows are few enough for L1 or L2, a panel is read once for each group of
rows, and the next one is prefetched. It also adds the bias, a residual and the limits of an
activation before the sums leave the registers.
"""

import numpy as np

from npmobilenet.kernels.convolution import convolution_rows
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import aligned, no_bias, padded_shape, together
from npmobilenet.kernels.ladder.rung import Array, Run, bind
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window

_INFINITY = np.float32(np.inf)
_GROUP = 128  # pixels: long enough to pay for a panel's way from L2


@entry
def convolve(x, w, bias, window, step, padded, out):
    x, out, columns = x.reshape(-1), out.reshape(-1), out.shape[2]
    for y in range(0, window.out_height, step):
        convolution_rows(
            x, 0, window, y, min(y + step, window.out_height), padded, 0, w, 0, bias, columns,
            -_INFINITY, _INFINITY, x, -1, out, 0,
        )  # fmt: skip


def prepare(window: Window, kernel: Array) -> Run:
    filters = kernel.shape[-1]
    w, (_, bias) = together(pack_panels(kernel.reshape(-1, filters)), no_bias(filters))
    step = min(max(1, _GROUP // window.out_width), window.out_height)
    padded = aligned(padded_shape(window._replace(out_height=step))).reshape(-1)
    return bind(convolve, w, bias, window, step, padded)
