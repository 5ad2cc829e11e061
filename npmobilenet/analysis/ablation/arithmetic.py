"""Layers in another arithmetic than the reference's, for its program to run them with."""

from collections.abc import Callable, Mapping
from functools import singledispatch
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.ablation.sums import Accumulator
from npmobilenet.architecture import (
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Layer,
)
from npmobilenet.interpreter import run_layer
from npmobilenet.reference import FloatArray, activate, windows

Variables = Mapping[str, FloatArray]
Float32 = NDArray[np.float32]

_IN_CACHE = 1 << 15  # outputs at a time; their sums, terms and temporaries stay in the L2 cache


class Arithmetic(Protocol):
    """The sums that layers are made of."""

    def product(self, left: Float32, right: Float32, bias: Float32) -> Float32:
        """``left @ right + bias``: ``(P, n)``, ``(n, K)`` and ``(K,)`` to ``(P, K)``."""

    def taps(self, seen: Float32, kernel: Float32, bias: Float32) -> Float32:
        """``sum_n seen[n] * kernel[n] + bias`` over the taps of a depthwise kernel.

        ``(n, P, C, 1)``, ``(n, C, M)`` and ``(C, M)`` to ``(P, C, M)``.
        """

    def mean(self, pixels: Float32) -> Float32:
        """The mean over the second axis: ``(N, P, C)`` to ``(N, C)``."""


class Ordered(Arithmetic):
    """Sums in a given order and precision of the accumulator, some outputs at a time."""

    def __init__(self, accumulator: Accumulator) -> None:
        self._sum = accumulator

    def product(self, left: Float32, right: Float32, bias: Float32) -> Float32:
        terms, filters = right.shape
        output = np.empty((len(left), filters), np.float32)
        rows = max(1, _IN_CACHE // filters)
        for start in range(0, len(left), rows):
            columns = np.ascontiguousarray(left[start : start + rows].T)
            total = self._sum.total(
                lambda i, out, columns=columns: np.multiply(  # type: ignore[misc]
                    right[i][:, None], columns[i], out=out
                ),
                terms,
                (filters, columns.shape[1]),
            )
            output[start : start + rows] = total.T
        output += bias
        return output

    def taps(self, seen: Float32, kernel: Float32, bias: Float32) -> Float32:
        _, pixels, channels, _ = seen.shape
        output = np.empty((pixels, *kernel.shape[1:]), np.float32)
        rows = max(1, _IN_CACHE // (channels * kernel.shape[2]))
        for start in range(0, pixels, rows):
            part = seen[:, start : start + rows]
            output[start : start + rows] = self._sum.total(
                lambda i, out, part=part: np.multiply(part[i], kernel[i], out=out),  # type: ignore[misc]
                len(kernel),
                (part.shape[1], *kernel.shape[1:]),
            )
        output += bias
        return output

    def mean(self, pixels: Float32) -> Float32:
        images, count, channels = pixels.shape
        total = self._sum.total(
            lambda i, out: np.copyto(out, pixels[:, i]), count, (images, channels)
        )
        return total / np.float32(count)


class NumPy(Arithmetic):
    """NumPy's own sums in float32: BLAS for products, pairwise for means."""

    def product(self, left: Float32, right: Float32, bias: Float32) -> Float32:
        output: Float32 = left @ right
        output += bias
        return output

    def taps(self, seen: Float32, kernel: Float32, bias: Float32) -> Float32:
        output: Float32 = np.einsum("npcx,ncm->pcm", seen, kernel)
        output += bias
        return output

    def mean(self, pixels: Float32) -> Float32:
        mean: Float32 = pixels.mean(axis=1)
        return mean


class Float64(Arithmetic):
    """Sums in float64, one term after the other, rounded once: the reference in another order."""

    def product(self, left: Float32, right: Float32, bias: Float32) -> Float32:
        output: NDArray[np.float64] = np.matmul(left, right, dtype=np.float64)
        output += bias
        return output.astype(np.float32)

    def taps(self, seen: Float32, kernel: Float32, bias: Float32) -> Float32:
        total = np.zeros((*seen.shape[1:3], kernel.shape[2]))
        for tap, weights in zip(seen, kernel, strict=True):
            total += np.multiply(tap, weights, dtype=np.float64)
        total += bias
        return total.astype(np.float32)

    def mean(self, pixels: Float32) -> Float32:
        mean: NDArray[np.float64] = pixels.mean(axis=1, dtype=np.float64)
        return mean.astype(np.float32)


def runs_with(arithmetic: Arithmetic) -> Callable[..., FloatArray]:
    """What runs a layer for :class:`npmobilenet.interpreter.NumpyProgram` in this arithmetic.

    Layers that are sums of products, and global means, are run so, in float32; all others as the
    reference runs them.
    """

    def run(layer: Layer, variables: Variables, *inputs: FloatArray) -> FloatArray:
        return _run(
            layer, {k: v.astype(np.float32) for k, v in variables.items()}, arithmetic, inputs
        )

    return run


@singledispatch
def _run(
    layer: Layer, variables: Variables, arithmetic: Arithmetic, inputs: tuple[Any, ...]
) -> FloatArray:
    return run_layer(layer, variables, *inputs)


@_run.register
def _(
    layer: Conv2D, variables: Variables, arithmetic: Arithmetic, inputs: tuple[Any, ...]
) -> FloatArray:
    (x,) = inputs
    kernel = variables["kernel"]
    seen = windows(x, layer.kernel_size, layer.strides, layer.padding, layer.dilation)
    shape = seen.shape[2:5]
    # Rows are what the window sees at each pixel, in the order of the kernel: height, width, in.
    left = seen.transpose(2, 3, 4, 0, 1, 5).reshape(prod(shape), -1)
    output = arithmetic.product(
        left, kernel.reshape(-1, layer.filters), _bias(variables, (layer.filters,))
    )
    return activate(output.reshape(*shape, layer.filters), layer.activation)


@_run.register
def _(
    layer: DepthwiseConv2D, variables: Variables, arithmetic: Arithmetic, inputs: tuple[Any, ...]
) -> FloatArray:
    (x,) = inputs
    kernel = variables["kernel"]
    seen = windows(x, layer.kernel_size, layer.strides, layer.padding, layer.dilation)
    shape, channels = seen.shape[2:5], seen.shape[5]
    taps = seen.reshape(prod(layer.kernel_size), prod(shape), channels, 1)
    bias = _bias(variables, kernel.shape[2:])
    output = arithmetic.taps(taps, kernel.reshape(-1, *kernel.shape[2:]), bias)
    return activate(output.reshape(*shape, -1), layer.activation)


@_run.register
def _(
    layer: Dense, variables: Variables, arithmetic: Arithmetic, inputs: tuple[Any, ...]
) -> FloatArray:
    (x,) = inputs
    bias = _bias(variables, (layer.units,))
    output = arithmetic.product(x.reshape(-1, x.shape[-1]), variables["kernel"], bias)
    return activate(output.reshape(*x.shape[:-1], layer.units), layer.activation)


@_run.register
def _(
    layer: GlobalAveragePooling2D,
    variables: Variables,
    arithmetic: Arithmetic,
    inputs: tuple[Any, ...],
) -> FloatArray:
    (x,) = inputs
    mean = arithmetic.mean(x.reshape(len(x), -1, x.shape[-1]))
    return mean[:, None, None] if layer.keepdims else mean


def _bias(variables: Variables, shape: tuple[int, ...]) -> FloatArray:
    """The bias of a layer, zero if it has none, by channel and kernel of that channel."""
    return variables["bias"].reshape(shape) if "bias" in variables else np.zeros(shape, np.float32)
