"""Operations of a layer that are no multiply-adds, each kind under a stated convention.

One addition, multiplication, division, comparison or elementary function (exponential,
logarithm, tanh, erf) on one value is one operation:

- bias: 1 for each output;
- batch norm: 2 for each value (times a scale, plus an offset); turning the four vectors into the
  two is left out, as it does not depend on the image;
- activation: as :mod:`npmobilenet.architecture.activations` says, so ReLU 1 and ReLU6 2;
- softmax: 5 for each value (maximum, subtraction, exponential, sum, division);
- sum, product, difference, maximum or minimum of n inputs: n - 1 for each value; a mean n;
- layer normalization: 5 for each value (two sums, a difference, a square, a division), one more for
  gamma and for beta; unit normalization 3;
- pooling: for each output, taps - 1 comparisons, or taps - 1 additions and a division; taps on
  padding count, as they do for convolutions;
- rescaling and normalization: 2 for each value;
- resizing: for each value along one axis, then along the other, a multiplication for each tap
  and taps - 1 additions; taps on nothing count, and finding the weights is left out.

Padding, cropping, reshaping, reordering, repeating and dropout do no arithmetic.
"""

from functools import singledispatch

from npmobilenet.analysis.resized import passes
from npmobilenet.architecture import (
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    CenterCrop,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Layer,
    LayerNormalization,
    Maximum,
    MaxPooling2D,
    Merge,
    Minimum,
    Multiply,
    Normalization,
    PReLU,
    ReLU,
    Rescaling,
    Resizing,
    SeparableConv2D,
    Shape,
    Subtract,
    UnitNormalization,
    UpSampling2D,
)
from npmobilenet.architecture.activations import facts
from npmobilenet.architecture.shapes import count


@singledispatch
def other_operations(layer: Layer, *inputs: Shape) -> int:
    """Operations of one layer for one sample, its multiply-adds left out.

    Raises
    ------
    ValueError
        If a size is not known, or the layer has an activation that is not in the table.
    """
    return 0


@other_operations.register(Conv2D)
@other_operations.register(Dense)
@other_operations.register(DepthwiseConv2D)
@other_operations.register(SeparableConv2D)
def _product(layer: Conv2D | Dense | DepthwiseConv2D | SeparableConv2D, *inputs: Shape) -> int:
    bias = 1 if layer.use_bias else 0
    return count(layer.output_shape(*inputs)) * (bias + facts(layer.activation).operations)


@other_operations.register
def _batch_norm(layer: BatchNormalization, *inputs: Shape) -> int:
    return 2 * count(inputs[0])


@other_operations.register
def _relu(layer: ReLU, *inputs: Shape) -> int:
    return (1 if layer.max_value is None else 2) * count(inputs[0])


@other_operations.register
def _prelu(layer: PReLU, *inputs: Shape) -> int:
    return 2 * count(inputs[0])


@other_operations.register
def _activation(layer: Activation, *inputs: Shape) -> int:
    return facts(layer.activation).operations * count(inputs[0])


@other_operations.register(Maximum)
@other_operations.register(Minimum)
@other_operations.register(Multiply)
@other_operations.register(Subtract)
def _merge(layer: Merge, *inputs: Shape) -> int:
    return (len(inputs) - 1) * count(layer.output_shape(*inputs))


@other_operations.register
def _mean(layer: Average, *inputs: Shape) -> int:
    return len(inputs) * count(layer.output_shape(*inputs))


@other_operations.register
def _concatenate(layer: Concatenate, *inputs: Shape) -> int:
    return 0


@other_operations.register
def _layer_normalization(layer: LayerNormalization, *inputs: Shape) -> int:
    return (5 + layer.scale + layer.center) * count(inputs[0])


@other_operations.register
def _unit_normalization(layer: UnitNormalization, *inputs: Shape) -> int:
    return 3 * count(inputs[0])


@other_operations.register
def _add(layer: Add, *inputs: Shape) -> int:
    return (len(inputs) - 1) * count(inputs[0])


@other_operations.register
def _max_pooling(layer: MaxPooling2D, *inputs: Shape) -> int:
    return count(layer.output_shape(*inputs)) * (count(layer.kernel_size) - 1)


@other_operations.register
def _average_pooling(layer: AveragePooling2D, *inputs: Shape) -> int:
    return count(layer.output_shape(*inputs)) * count(layer.kernel_size)


@other_operations.register
def _global_max(layer: GlobalMaxPooling2D, *inputs: Shape) -> int:
    return count(inputs[0]) - count(layer.output_shape(*inputs))


@other_operations.register
def _global_average(layer: GlobalAveragePooling2D, *inputs: Shape) -> int:
    return count(inputs[0])


@other_operations.register(Normalization)
@other_operations.register(Rescaling)
def _scale(layer: Normalization | Rescaling, *inputs: Shape) -> int:
    return 2 * count(inputs[0])


@other_operations.register(CenterCrop)
@other_operations.register(Resizing)
@other_operations.register(UpSampling2D)
def _resizing(layer: CenterCrop | Resizing | UpSampling2D, *inputs: Shape) -> int:
    return sum(values * (2 * taps - 1) for values, taps in passes(layer, inputs[0]) or ())
