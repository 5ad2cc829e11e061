"""Keras' parameter counts and TensorFlow's profiler, reconciled exactly by type of operation."""

from collections import Counter

import pytest

from npmobilenet.analysis.cost import cost
from npmobilenet.architecture import mobilenet_v1, mobilenet_v2

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

PUBLISHED = [
    *(("MobileNet", mobilenet_v1, alpha) for alpha in (0.25, 0.5, 0.75, 1.0)),
    *(("MobileNetV2", mobilenet_v2, alpha) for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
]


@pytest.mark.parametrize(("name", "build", "alpha"), PUBLISHED)
def test_parameters_of_keras(name, build, alpha):
    model = getattr(keras.applications, name)(alpha=alpha, weights=None)
    found = cost(build(alpha=alpha))
    assert found.parameters == model.count_params()
    without = sum(
        layer.count_params()
        for layer in model.layers
        if not isinstance(layer, keras.layers.BatchNormalization)
    )
    assert found.parameters_without_batch_norm == without


@pytest.mark.parametrize(
    ("name", "build", "shape", "alpha"),
    [
        ("MobileNet", mobilenet_v1, (224, 224, 3), 1.0),
        ("MobileNet", mobilenet_v1, (97, 130, 3), 0.25),
        ("MobileNetV2", mobilenet_v2, (224, 224, 3), 1.0),
        ("MobileNetV2", mobilenet_v2, (97, 130, 3), 1.4),
    ],
)
def test_tensorflow_profiler(name, build, shape, alpha):
    model = getattr(keras.applications, name)(input_shape=shape, alpha=alpha, weights=None)
    profile = profiled_operations(model)
    layers = cost(build(shape, alpha)).layers
    flops, others, values, channels = Counter(), Counter(), Counter(), 0
    for layer in layers:
        flops[layer.type] += layer.flops
        others[layer.type] += layer.operations
        if layer.type == "BatchNormalization":
            channels += layer.output_shape[-1]
            values[layer.type] += layer.operations // 2

    assert profile["Conv2D"] == flops["Conv2D"]
    assert profile["DepthwiseConv2dNative"] == flops["DepthwiseConv2D"]
    assert profile["MatMul"] == flops["Dense"]
    assert profile["Mean"] == others["GlobalAveragePooling2D"]
    classes = 1000
    assert profile["BiasAdd"] == classes
    assert profile["Softmax"] == 5 * classes
    assert others["Conv2D"] + others["Dense"] + others["Activation"] == 6 * classes
    # TensorFlow turns the four vectors of batch norm into two in the graph; here that is not
    # counted: two products, a sum, a difference and a reciprocal root (2) for each channel.
    assert profile["Mul"] == values["BatchNormalization"] + 2 * channels
    assert profile["AddV2"] == values["BatchNormalization"] + channels + others["Add"]
    assert profile["Sub"] == channels
    assert profile["Rsqrt"] == 2 * channels
    # It counts nothing for Relu6 and Pad, and there is nothing else.
    reconciled = {"Conv2D", "DepthwiseConv2dNative", "MatMul", "Mean", "BiasAdd", "Softmax"}
    assert {kind for kind, count in profile.items() if count} <= reconciled | {
        "Mul",
        "AddV2",
        "Sub",
        "Rsqrt",
    }


def profiled_operations(model):
    """Float operations of the frozen graph by type of node, for one image."""
    from tensorflow.python.framework import convert_to_constants

    image = tf.TensorSpec((1, *model.input_shape[1:]))
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(image)
    _, graph_def = convert_to_constants.convert_variables_to_constants_v2_as_graph(function)
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
        node = profiler.profile(graph, cmd="op", options=options)
    found = Counter()
    while node.children:  # a chain, one type below the other
        node = node.children[0]
        found[node.name] += node.float_ops
    return found
