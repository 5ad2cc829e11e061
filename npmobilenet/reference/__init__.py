"""Every operation of MobileNet in plain NumPy: the text to read, and the oracle of the tests.

Images are ``(batch, height, width, channels)``. Kernels are laid out as in Keras: convolution
``(height, width, in, out)``, depthwise ``(height, width, in, multiplier)``, dense ``(in, out)``.
What comes out has the dtype of the images, float32 or float64. Sums are formed in float64 and
rounded once, so that a float32 run shows what float32 itself costs and not the order of a sum.
No argument is ever changed; an operation that changes nothing returns its argument.
"""

from npmobilenet.reference.activations import (
    ACTIVATIONS,
    activate,
    celu,
    elu,
    exponential,
    gelu,
    gelu_tanh,
    hard_shrink,
    hard_sigmoid,
    hard_sigmoid_keras2,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    sloped_relu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    tanh,
    tanh_shrink,
)
from npmobilenet.reference.arrays import FloatArray
from npmobilenet.reference.batch_norm import batch_normalization
from npmobilenet.reference.convolution import convolution
from npmobilenet.reference.dense import dense
from npmobilenet.reference.depthwise import depthwise_convolution
from npmobilenet.reference.dropout import dropout
from npmobilenet.reference.geometry import (
    center_crop,
    cropping,
    permute,
    repeat_vector,
    resizing,
    upsampling,
)
from npmobilenet.reference.global_pooling import global_average_pooling, global_max_pooling
from npmobilenet.reference.merging import (
    average,
    concatenate,
    maximum,
    minimum,
    multiply,
    subtract,
)
from npmobilenet.reference.normalizing import layer_normalization, unit_normalization
from npmobilenet.reference.padding import zero_padding
from npmobilenet.reference.pointwise import pointwise_convolution
from npmobilenet.reference.pooling import average_pooling, max_pooling, min_pooling
from npmobilenet.reference.rescaling import normalization, rescaling
from npmobilenet.reference.residual import add
from npmobilenet.reference.separable import separable_convolution
from npmobilenet.reference.shape import flatten, reshape
from npmobilenet.reference.softmax import log_softmax, softmax
from npmobilenet.reference.windows import windows

__all__ = [
    "ACTIVATIONS",
    "FloatArray",
    "activate",
    "add",
    "average",
    "average_pooling",
    "batch_normalization",
    "celu",
    "center_crop",
    "concatenate",
    "convolution",
    "cropping",
    "dense",
    "depthwise_convolution",
    "dropout",
    "elu",
    "exponential",
    "flatten",
    "gelu",
    "gelu_tanh",
    "global_average_pooling",
    "global_max_pooling",
    "hard_shrink",
    "hard_sigmoid",
    "hard_sigmoid_keras2",
    "hard_silu",
    "hard_tanh",
    "layer_normalization",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "max_pooling",
    "maximum",
    "min_pooling",
    "minimum",
    "mish",
    "multiply",
    "normalization",
    "permute",
    "pointwise_convolution",
    "prelu",
    "relu",
    "relu6",
    "repeat_vector",
    "rescaling",
    "reshape",
    "resizing",
    "selu",
    "separable_convolution",
    "sigmoid",
    "silu",
    "sloped_relu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "subtract",
    "tanh",
    "tanh_shrink",
    "unit_normalization",
    "upsampling",
    "windows",
    "zero_padding",
]
