"""Runs any network layer by layer in plain NumPy: the readable way, and the oracle."""

from collections.abc import Callable, Iterator, Mapping
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet import reference
from npmobilenet.architecture import (
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Concatenate,
    Conv2D,
    Cropping2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Layer,
    LayerNormalization,
    Maximum,
    MaxPooling2D,
    Minimum,
    Multiply,
    Network,
    Normalization,
    Permute,
    PReLU,
    ReLU,
    RepeatVector,
    Rescaling,
    Reshape,
    Resizing,
    SeparableConv2D,
    Subtract,
    UnitNormalization,
    UpSampling2D,
    ZeroPadding2D,
)
from npmobilenet.program import Program, check_batch, check_weights
from npmobilenet.reference import FloatArray

__all__ = ["NumpyProgram", "Program", "run_layer"]

Variables = Mapping[str, FloatArray]
RunLayer = Callable[..., FloatArray]
"""A layer, its variables and the batches that it reads to the batch that it gives."""


class NumpyProgram(Program):
    """A network with its weights, run by :mod:`npmobilenet.reference`.

    Parameters
    ----------
    network : Network
    weights : mapping of str to array
        Every variable by its canonical name, ``"conv1/kernel"``. They are copied, as float64: that
        is the dtype in which the operations form their sums, whatever the batch has.
    run : callable, optional
        Runs a layer in place of :func:`run_layer`: to study another arithmetic.

    Raises
    ------
    WeightsMismatchError
        If a variable is missing or has another shape.
    """

    def __init__(
        self,
        network: Network,
        weights: Mapping[str, NDArray[Any]],
        run: RunLayer | None = None,
    ) -> None:
        check_weights(network, weights)
        self._network = network
        self._run_layer = run or run_layer
        self._variables = {
            node.name: {
                variable: np.array(weights[f"{node.name}/{variable}"], np.float64, order="C")
                for variable in network.layer_variables(node.name)
            }
            for node in network
        }
        # A later layer overwrites an earlier one: what remains is the last reader of each value.
        self._last_reader = {source: node.name for node in network for source in node.inputs}

    @property
    def network(self) -> Network:
        """The network that runs."""
        return self._network

    def __call__(self, x: FloatArray, threads: int | None = None) -> FloatArray:
        """The network's output for a batch, in the dtype of the batch.

        Parameters
        ----------
        x : array (N, *network.input_shape), float32 or float64
            Every layer's output has this dtype.
        threads : None
            NumPy's BLAS decides on that, once for a process.

        Raises
        ------
        ValueError
            If the shape or the dtype is another, or a number of threads is given.
        """
        _refuse(threads)
        for _, output in self._run(x):
            last = output
        return last

    def activations(self, x: FloatArray, threads: int | None = None) -> dict[str, FloatArray]:
        """Every layer's output by the layer's name, in running order, beginning with the input.

        Layers that change nothing share the array of the layer before. Parameters and errors as in
        :meth:`__call__`.
        """
        _refuse(threads)
        return dict(self._run(x))

    def _run(self, x: FloatArray) -> Iterator[tuple[str, FloatArray]]:
        """Name and output of each layer, each forgotten once its last reader has run."""
        check_batch(self._network, x)
        first, *rest = self._network
        alive = {first.name: x}
        yield first.name, x
        for node in rest:
            inputs = [alive[source] for source in node.inputs]
            output = self._run_layer(node.layer, self._variables[node.name], *inputs)
            for source in node.inputs:
                if self._last_reader[source] == node.name:
                    alive.pop(source, None)
            del inputs
            alive[node.name] = output
            yield node.name, output


def _refuse(threads: int | None) -> None:
    if threads is not None:
        raise ValueError(
            f"threads={threads}: the reference runs on the threads of NumPy's BLAS, which are set "
            "for the whole process, by OPENBLAS_NUM_THREADS for one"
        )


@singledispatch
def run_layer(layer: Layer, variables: Variables, *inputs: FloatArray) -> FloatArray:
    """Run one layer on batches, given its variables by their short names."""
    raise TypeError(f"layer {layer.name!r} is a {type(layer).__name__}, which cannot be run")


@run_layer.register
def _convolution(layer: Conv2D, variables: Variables, x: FloatArray) -> FloatArray:
    if layer.kernel_size == layer.strides == (1, 1) and isinstance(layer.padding, str):
        output = reference.pointwise_convolution(x, variables["kernel"], variables.get("bias"))
    else:
        output = reference.convolution(
            x,
            variables["kernel"],
            variables.get("bias"),
            strides=layer.strides,
            padding=layer.padding,
            dilation=layer.dilation,
        )
    return reference.activate(output, layer.activation)


@run_layer.register
def _depthwise(layer: DepthwiseConv2D, variables: Variables, x: FloatArray) -> FloatArray:
    output = reference.depthwise_convolution(
        x,
        variables["kernel"],
        variables.get("bias"),
        strides=layer.strides,
        padding=layer.padding,
        dilation=layer.dilation,
    )
    return reference.activate(output, layer.activation)


@run_layer.register
def _separable(layer: SeparableConv2D, variables: Variables, x: FloatArray) -> FloatArray:
    output = reference.separable_convolution(
        x,
        variables["depthwise_kernel"],
        variables["pointwise_kernel"],
        variables.get("bias"),
        strides=layer.strides,
        padding=layer.padding,
        dilation=layer.dilation,
    )
    return reference.activate(output, layer.activation)


@run_layer.register
def _batch_normalization(
    layer: BatchNormalization, variables: Variables, x: FloatArray
) -> FloatArray:
    return reference.batch_normalization(
        x,
        variables["moving_mean"],
        variables["moving_variance"],
        variables.get("gamma"),
        variables.get("beta"),
        epsilon=layer.epsilon,
    )


@run_layer.register
def _relu(layer: ReLU, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.relu(x, layer.max_value)


@run_layer.register
def _prelu(layer: PReLU, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.prelu(x, variables["alpha"])


@run_layer.register
def _activation(layer: Activation, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.activate(x, layer.activation)


@run_layer.register
def _add(layer: Add, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.add(*inputs)


@run_layer.register
def _multiply(layer: Multiply, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.multiply(*inputs)


@run_layer.register
def _subtract(layer: Subtract, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.subtract(*inputs)


@run_layer.register
def _average(layer: Average, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.average(*inputs)


@run_layer.register
def _maximum(layer: Maximum, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.maximum(*inputs)


@run_layer.register
def _minimum(layer: Minimum, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.minimum(*inputs)


@run_layer.register
def _concatenate(layer: Concatenate, variables: Variables, *inputs: FloatArray) -> FloatArray:
    return reference.concatenate(*inputs, axis=layer.axis)


@run_layer.register
def _layer_normalization(
    layer: LayerNormalization, variables: Variables, x: FloatArray
) -> FloatArray:
    return reference.layer_normalization(
        x, variables.get("gamma"), variables.get("beta"), epsilon=layer.epsilon
    )


@run_layer.register
def _unit_normalization(
    layer: UnitNormalization, variables: Variables, x: FloatArray
) -> FloatArray:
    return reference.unit_normalization(x)


@run_layer.register
def _zero_padding(layer: ZeroPadding2D, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.zero_padding(x, layer.padding)


@run_layer.register
def _max_pooling(layer: MaxPooling2D, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.max_pooling(
        x,
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation=layer.dilation,
    )


@run_layer.register
def _average_pooling(layer: AveragePooling2D, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.average_pooling(
        x,
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        dilation=layer.dilation,
    )


@run_layer.register
def _global_average(
    layer: GlobalAveragePooling2D, variables: Variables, x: FloatArray
) -> FloatArray:
    return reference.global_average_pooling(x, keepdims=layer.keepdims)


@run_layer.register
def _global_max(layer: GlobalMaxPooling2D, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.global_max_pooling(x, keepdims=layer.keepdims)


@run_layer.register
def _dense(layer: Dense, variables: Variables, x: FloatArray) -> FloatArray:
    output = reference.dense(x, variables["kernel"], variables.get("bias"))
    return reference.activate(output, layer.activation)


@run_layer.register
def _flatten(layer: Flatten, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.flatten(x)


@run_layer.register
def _reshape(layer: Reshape, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.reshape(x, layer.target_shape)


@run_layer.register
def _dropout(layer: Dropout, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.dropout(x)


@run_layer.register
def _identity(layer: Identity, variables: Variables, x: FloatArray) -> FloatArray:
    return x


@run_layer.register
def _rescaling(layer: Rescaling, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.rescaling(x, layer.scale, layer.offset)


@run_layer.register
def _normalization(layer: Normalization, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.normalization(x, variables["mean"], variables["variance"])


@run_layer.register
def _resizing(layer: Resizing, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.resizing(
        x,
        (layer.height, layer.width),
        layer.interpolation,
        antialias=layer.antialias,
        crop_to_aspect_ratio=layer.crop_to_aspect_ratio,
        pad_to_aspect_ratio=layer.pad_to_aspect_ratio,
        fill_value=layer.fill_value,
    )


@run_layer.register
def _center_crop(layer: CenterCrop, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.center_crop(x, (layer.height, layer.width))


@run_layer.register
def _cropping(layer: Cropping2D, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.cropping(x, layer.cropping)


@run_layer.register
def _upsampling(layer: UpSampling2D, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.upsampling(x, layer.size, layer.interpolation)


@run_layer.register
def _permute(layer: Permute, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.permute(x, layer.dims)


@run_layer.register
def _repeat_vector(layer: RepeatVector, variables: Variables, x: FloatArray) -> FloatArray:
    return reference.repeat_vector(x, layer.n)
