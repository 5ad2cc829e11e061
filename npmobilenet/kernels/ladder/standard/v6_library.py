"""The library's kernel: a few rows of the image at a time, each panel used for all of them.

Fixes the traffic: the padded rows are few enough for L1 or L2, a panel is read once for each group
of rows, and the next one is prefetched. It also applies batch norm, a residual and the limits of an
activation before the sums leave the registers.
"""

from npmobilenet.kernels.convolution import convolution_rows
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array, aligned, padded_shape
from npmobilenet.kernels.ladder.library import plain_layer, pointer_to, result_in, with_norm
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window, moved

_GROUP = 128  # pixels: enough to pay for a panel's way from L2


@entry
def convolve(x, w, norm, window, step, padded, out):
    image, room = pointer_to(x), pointer_to(padded)
    layer, result = plain_layer(w, norm), result_in(out)
    for y in range(0, window.out_height, step):
        end, there = min(y + step, window.out_height), moved(result, y * window.out_width)
        convolution_rows(image, 0, window, y, end, room, 0, layer, out.shape[2], there)


def prepare(window: Window, kernel: Array) -> Run:
    filters = kernel.shape[-1]
    w, norm = with_norm(pack_panels(kernel.reshape(-1, filters)), filters)
    step = min(max(1, _GROUP // window.out_width), window.out_height)
    padded = aligned(padded_shape(window._replace(out_height=step)))
    return bind(convolve, w, norm, window, step, padded)
