"""The tables give Keras' networks: names, order, shapes, parameters."""

import re

import pytest

from npmobilenet.architecture import mobilenet_v1, mobilenet_v2

keras = pytest.importorskip("keras")

V1_PARAMETERS = {0.25: 475_544, 0.5: 1_342_536, 0.75: 2_601_976, 1.0: 4_253_864}
V2_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
SHAPES = ((224, 224, 3), (97, 97, 3), (200, 133, 3), (32, 32, 1))


def assert_same(network, model):
    # Keras numbers the names that nobody chose: input_layer_3, global_average_pooling2d_1.
    plain = {layer.name: re.sub(r"^(input_layer|global_.*2d)_\d+$", r"\1", layer.name)
             for layer in model.layers}  # fmt: skip
    assert list(plain.values()) == [node.name for node in network]
    for layer in model.layers:
        name = plain[layer.name]
        assert network.shapes[name] == tuple(layer.output.shape[1:]), name
        ours = list(network.layer_variables(name).values())
        assert ours == [tuple(weight.shape) for weight in layer.weights], name
        if hasattr(layer, "epsilon"):
            assert network[name].layer.epsilon == layer.epsilon
    assert network.name == model.name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [*V1_PARAMETERS, 1.5])
def test_v1(alpha, shape):
    model = keras.applications.MobileNet(input_shape=shape, alpha=alpha, weights=None)
    assert_same(mobilenet_v1(shape, alpha), model)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("alpha", [*V2_ALPHAS, 0.1, 2.0])
def test_v2(alpha, shape):
    model = keras.applications.MobileNetV2(input_shape=shape, alpha=alpha, weights=None)
    assert_same(mobilenet_v2(shape, alpha), model)


@pytest.mark.parametrize("pooling", [None, "avg", "max"])
@pytest.mark.parametrize("shape", [(None, None, 3), (64, 64, 3)])
def test_without_a_top(shape, pooling):
    options = {"include_top": False, "pooling": pooling}
    v1 = keras.applications.MobileNet(
        input_shape=shape, weights=None, depth_multiplier=2, **options
    )
    assert_same(mobilenet_v1(shape, depth_multiplier=2, **options), v1)
    v2 = keras.applications.MobileNetV2(input_shape=shape, weights=None, **options)
    assert_same(mobilenet_v2(shape, **options), v2)


@pytest.mark.parametrize(("alpha", "parameters"), V1_PARAMETERS.items())
def test_published_parameter_totals(alpha, parameters):
    assert sum_of_sizes(mobilenet_v1(alpha=alpha)) == parameters


def sum_of_sizes(network):
    total = 0
    for shape in network.variables.values():
        size = 1
        for axis in shape:
            size *= axis
        total += size
    return total
