"""The image is copied into a frame of zeros first; then no pixel is outside.

Fixes the traffic of the sums: with nothing to ask, a row of the kernel is one expression, and a sum
is loaded and stored for three products instead of one.
Still wrong: the copy reads and writes the whole image once more, and every weight is loaded again
for every pixel.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array, aligned, frame, padded_shape
from npmobilenet.kernels.ladder.depthwise.channels import filters
from npmobilenet.kernels.ladder.rung import Run, bind
from npmobilenet.kernels.window import Window


@entry
def convolve(x, w, window, padded, out):
    frame(x, window, padded)
    for y in range(window.out_height):
        for i in range(window.out_width):
            sums = out[y, i]
            sums[:] = 0.0
            column = i * window.stride_x
            for ky in range(3):
                row = padded[y * window.stride_y + ky]
                p0, p1, p2 = row[column], row[column + 1], row[column + 2]
                w0, w1, w2 = w[ky, 0], w[ky, 1], w[ky, 2]
                for c in range(sums.size):
                    sums[c] += p0[c] * w0[c] + p1[c] * w1[c] + p2[c] * w2[c]


def prepare(window: Window, kernel: Array) -> Run:
    return bind(convolve, filters(kernel), window, aligned(padded_shape(window)))
