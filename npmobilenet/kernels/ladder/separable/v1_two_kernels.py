"""The best depthwise kernel, then the best pointwise kernel.

Still wrong: the whole depthwise result is written to memory by one and read again by the other.
"""

from npmobilenet.kernels.ladder.buffers import Array, aligned
from npmobilenet.kernels.ladder.depthwise import v6_library as depthwise
from npmobilenet.kernels.ladder.pointwise import v7_library as pointwise
from npmobilenet.kernels.ladder.rung import Run
from npmobilenet.kernels.window import Window


def prepare(window: Window, depthwise_kernel: Array, pointwise_kernel: Array) -> Run:
    between = aligned((window.out_height, window.out_width, window.channels))
    filter_channels = depthwise.prepare(window, depthwise_kernel)
    mix_channels = pointwise.prepare(window, pointwise_kernel)

    def run(image: Array, output: Array) -> None:
        filter_channels(image, between)
        mix_channels(between, output)

    return run
