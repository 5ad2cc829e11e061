"""All that the window sees at a pixel becomes a row of a matrix: im2col and a matrix product.

Fixes everything that the ladder of the pointwise convolution fixes, by using its packed product.
Still wrong: the matrix is nine times as large as the image at stride 1. It is written and read
again, mostly beyond L2, and has to be kept somewhere.
"""

from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.ladder.buffers import Array, aligned, aligned_copy
from npmobilenet.kernels.ladder.pointwise.v6_packed import product
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.product import pack_panels
from npmobilenet.kernels.window import Window


@entry
def im2col(x, window, matrix):
    channels = window.channels
    for y in range(window.out_height):
        for i in range(window.out_width):
            seen = matrix[y * window.out_width + i]
            for ky in range(window.kernel_height):
                for kx in range(window.kernel_width):
                    row = y * window.stride_y - window.pad_top + ky
                    column = i * window.stride_x - window.pad_left + kx
                    at = (ky * window.kernel_width + kx) * channels
                    if 0 <= row < window.height and 0 <= column < window.width:
                        seen[at : at + channels] = x[row, column]
                    else:
                        seen[at : at + channels] = 0.0


def prepare(window: Window, kernel: Array) -> Run:
    filters = kernel.shape[-1]
    depth = window.kernel_height * window.kernel_width * window.channels
    matrix = aligned((window.out_height * window.out_width, depth))
    w, zeros = aligned_copy(pack_panels(kernel.reshape(-1, filters))), aligned((0,))

    def run(image: Array, output: Array) -> None:
        im2col(image, window, matrix)
        product(matrix, w, zeros, output.reshape(-1, filters))

    return run
