"""A rung of a ladder: one version of a convolution, with the idea that it adds."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from npmobilenet.architecture.padding import same_padding
from npmobilenet.kernels.ladder.buffers import Array, aligned
from npmobilenet.kernels.window import Window

Run = Callable[[Array, Array], None]
"""``run(image, output)``: one image ``(H, W, C)`` to ``(output height, output width, K)``.

Both must come from :func:`~npmobilenet.kernels.ladder.buffers.aligned`. A run may hold buffers of
its own, so it belongs to one thread.
"""


@dataclass(frozen=True)
class Rung:
    """One version of an operation; called with whole arrays it computes what the reference does.

    Parameters
    ----------
    operation : str
        ``"depthwise"``, ``"pointwise"``, ``"standard"`` or ``"separable"``.
    number, name
        The place on the ladder, from 1, and what the version is called.
    text : str
        What the version does better than the one before, and what is still wrong with it.
    prepare : callable
        ``prepare(window, *kernels)`` does what needs no image (packs weights, makes room) and
        gives the :data:`Run`. Only the run is timed.
    """

    operation: str
    number: int
    name: str
    text: str
    prepare: Callable[..., Run]

    @property
    def idea(self) -> str:
        """The first line of the text."""
        return self.text.splitlines()[0]

    def __call__(self, images: Array, *kernels: Array, stride: int = 1) -> Array:
        """Convolve with SAME padding.

        Parameters
        ----------
        images : float32 array (N, H, W, C)
        *kernels : float32 arrays
            In Keras' layout: depthwise ``(3, 3, C, 1)``, pointwise ``(1, 1, C, K)``, standard
            ``(3, 3, C, K)``, separable a depthwise and a pointwise one.
        stride : {1, 2}

        Returns
        -------
        float32 array (N, output height, output width, K)
        """
        window = same_window(images.shape[1:], kernels[0].shape[:2], stride)
        run = self.prepare(window, *kernels)
        filters = window.channels if self.operation == "depthwise" else kernels[-1].shape[-1]
        image = aligned(images.shape[1:])
        output = aligned((window.out_height, window.out_width, filters))
        results = np.empty((len(images), *output.shape), np.float32)
        for here, result in zip(images, results, strict=True):
            image[...] = here
            run(image, output)
            result[...] = output
        return results


def same_window(shape: tuple[int, ...], kernel: tuple[int, ...], stride: int) -> Window:
    """A kernel of ``(height, width)`` over an image of ``(height, width, channels)``, SAME padding.

    Raises
    ------
    ValueError
        If the stride is neither 1 nor 2.
    """
    if stride not in (1, 2):
        raise ValueError(f"stride is {stride}; MobileNet has 1 and 2")
    height, width, channels = shape
    return Window(
        height=height,
        width=width,
        channels=channels,
        out_height=-(-height // stride),
        out_width=-(-width // stride),
        kernel_height=kernel[0],
        kernel_width=kernel[1],
        stride_y=stride,
        stride_x=stride,
        dilation_y=1,
        dilation_x=1,
        pad_top=same_padding(height, kernel[0], stride)[0],
        pad_left=same_padding(width, kernel[1], stride)[0],
    )


def rungs(*modules: ModuleType) -> tuple[Rung, ...]:
    """Modules ``operation.vN_name`` as rungs: their docstrings and their ``prepare``."""
    ladder = []
    for module in modules:
        operation, file = module.__name__.split(".")[-2:]
        number, name = file.removeprefix("v").split("_", 1)
        text = str(module.__doc__)
        ladder.append(Rung(operation, int(number), name.replace("_", " "), text, module.prepare))
    return tuple(ladder)


def bind(convolve: Callable[..., None], *arguments: object) -> Run:
    """A run that calls ``convolve(image, *arguments, output)``."""

    def run(image: Array, output: Array) -> None:
        convolve(image, *arguments, output)

    return run
