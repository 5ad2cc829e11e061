"""Whole networks on the compiled engine."""

import numpy as np
import pytest

from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    Reshape,
    ZeroPadding2D,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.engine import NumbaProgram
from npmobilenet.errors import WeightsMismatchError
from npmobilenet.interpreter import NumpyProgram

NETWORKS = {
    "v1": lambda: mobilenet_v1((64, 64, 3), 0.5),
    "v1 odd size": lambda: mobilenet_v1((65, 47, 3), 0.25, include_top=False),
    "v1 multiplier": lambda: mobilenet_v1((32, 32, 3), 0.25, depth_multiplier=2),
    "v2": lambda: mobilenet_v2((64, 64, 3), 0.35, classes=7),
    "v2 wide": lambda: mobilenet_v2((97, 130, 3), 1.4, include_top=False, pooling="max"),
}


def images(network, count, seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, *network.input_shape)).astype(np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_close_to_float64(name, random_weights):
    network = NETWORKS[name]()
    weights, x = random_weights(network), images(network, 2)
    exact = NumpyProgram(network, weights).activations(x.astype(np.float64))
    for layer, value in NumbaProgram(network, weights).activations(x).items():
        error = np.abs(value - exact[layer]).max()
        assert error <= 6e-5 * np.abs(exact[layer]).max(), layer


@pytest.mark.tensorflow
@pytest.mark.parametrize("version", [1, 2])
def test_error_is_that_of_tensorflow(version, random_weights):
    keras = pytest.importorskip("keras")
    keras.backend.clear_session()  # names of layers begin anew
    shape = (96, 96, 3)
    if version == 1:
        network, model = mobilenet_v1(shape), keras.applications.MobileNet(shape, weights=None)
    else:
        network, model = mobilenet_v2(shape), keras.applications.MobileNetV2(shape, weights=None)
    weights, x = random_weights(network), images(network, 2)
    for node in network:
        values = [weights[f"{node.name}/{v}"] for v in network.layer_variables(node.name)]
        if values:
            model.get_layer(node.name).set_weights(values)
    exact = NumpyProgram(network, weights).activations(x.astype(np.float64))
    found = NumbaProgram(network, weights).activations(x)
    layers = list(found)[1:]
    outputs = [model.get_layer(layer).output for layer in layers]
    theirs = dict(zip(layers, keras.Model(model.input, outputs).predict(x, verbose=0), strict=True))
    for layer in layers:
        error, allowed = (np.abs(v[layer] - exact[layer]).max() for v in (found, theirs))
        assert error <= 1.5 * allowed + 1e-6 * np.abs(exact[layer]).max(), layer


@pytest.mark.parametrize("name", NETWORKS)
def test_values_do_not_depend_on_threads_or_batch(name, random_weights):
    network = NETWORKS[name]()
    program, x = NumbaProgram(network, random_weights(network)), images(network, 5)
    expected = program(x, threads=1)
    for threads in (2, 3, 5, 8):
        np.testing.assert_array_equal(program(x, threads=threads), expected)
    for count in (1, 2, 3):
        np.testing.assert_array_equal(program(x[:count], threads=2), expected[:count])
    np.testing.assert_array_equal(program(x), expected)


def test_activations_say_what_is_fused(random_weights):
    network = NETWORKS["v2"]()
    program, x = NumbaProgram(network, random_weights(network)), images(network, 3)
    values = program.activations(x)
    assert next(iter(values)) == "input_layer"
    assert list(values)[-1] == "predictions"
    assert values.fused["Conv1"] == "Conv1_relu"
    assert values.fused["block_2_depthwise"] == "block_2_add"
    assert set(values) | set(values.fused) == {node.name for node in network}
    assert not set(values) & set(values.fused)
    np.testing.assert_array_equal(values["predictions"], program(x))
    for layer, value in values.items():
        assert value.shape == (3, *network.shapes[layer])


def test_a_layer_without_a_kernel_runs_in_numpy(random_weights):
    net = NetworkBuilder(Input(name="input", shape=(20, 20, 3)))
    net.add(Conv2D(name="first", filters=5, kernel_size=(3, 3), activation="sigmoid"))
    net.add(ZeroPadding2D(name="pad", padding=((1, 0), (0, 2))))
    net.add(MaxPooling2D(name="pool", kernel_size=(2, 2), strides=(2, 2)))
    net.add(Conv2D(name="second", filters=9, kernel_size=(3, 3), activation="relu"))
    net.add(Dense(name="dense", units=4, activation="tanh"))
    net.add(Activation(name="softmax", activation="softmax"))
    network = net.build("unusual")
    weights, x = random_weights(network), images(network, 2)
    expected = NumpyProgram(network, weights)(x.astype(np.float64))
    np.testing.assert_allclose(NumbaProgram(network, weights)(x), expected, atol=1e-6)


@pytest.fixture
def nothing_interpreted(monkeypatch):
    def refuse(layer, *_):
        raise AssertionError(f"{layer.name} has no kernel")

    monkeypatch.setattr("npmobilenet.engine.program.run_layer", refuse)


def built(shape, *layers):
    net = NetworkBuilder(Input(name="input", shape=shape))
    for layer in layers:
        net.add(layer)
    return net.build("small")


@pytest.mark.parametrize(
    "network",
    [
        NETWORKS["v1 multiplier"](),
        built(
            (21, 18, 3),
            Conv2D(name="conv", filters=6, kernel_size=(3, 3)),
            MaxPooling2D(name="max", kernel_size=(3, 3), strides=(2, 2), padding="same"),
            DepthwiseConv2D(name="dw", kernel_size=(3, 3), depth_multiplier=3),
            AveragePooling2D(name="average", kernel_size=(2, 2), strides=(2, 2)),
        ),
        built(
            (9, 8, 3),
            Conv2D(name="conv", filters=5, kernel_size=(3, 3)),
            Flatten(name="flatten"),
            Dense(name="hidden", units=9, activation="relu"),
            Dense(name="dense", units=4, activation="softmax"),
        ),
        built(
            (9, 8, 3),
            Conv2D(name="conv", filters=5, kernel_size=(3, 3)),
            Reshape(name="rows", target_shape=(7, 30)),
            Dense(name="dense", units=4),
        ),
        built((9, 8, 3), Flatten(name="flatten"), Dense(name="dense", units=4)),
        built((None, None, 3), MaxPooling2D(name="max", kernel_size=(2, 2), padding="same")),
    ],
    ids=lambda network: "-".join(node.name for node in network.nodes[-4:]),
)
def test_compiled_as_a_whole(network, random_weights, nothing_interpreted):
    weights = random_weights(network)
    shape = tuple(size or 11 for size in network.input_shape)
    x = np.random.default_rng(1).uniform(-1, 1, (5, *shape)).astype(np.float32)
    program = NumbaProgram(network, weights)
    exact = NumpyProgram(network, weights).activations(x.astype(np.float64))
    for layer, value in program.activations(x).items():
        scale = np.abs(exact[layer]).max()
        np.testing.assert_allclose(value, exact[layer], rtol=0, atol=6e-5 * scale, err_msg=layer)
    expected = program(x, threads=1)
    np.testing.assert_array_equal(program(x, threads=3), expected)
    np.testing.assert_array_equal(program(x[1:2], threads=2), expected[1:2])


def test_a_residual_that_is_the_input(random_weights, nothing_interpreted):
    net = NetworkBuilder(Input(name="input", shape=(5, 5, 3)))
    net.add(Conv2D(name="conv", filters=7, kernel_size=(3, 3), padding="same"))
    net.add(Conv2D(name="back", filters=3, kernel_size=(1, 1)))
    net.add(Add(name="add"), "input", "back")
    network = net.build("residual")
    weights, x = random_weights(network), images(network, 3)
    expected = NumpyProgram(network, weights)(x.astype(np.float64))
    np.testing.assert_allclose(NumbaProgram(network, weights)(x), expected, atol=1e-6)


def test_any_input_size(random_weights):
    network = mobilenet_v1((None, None, 3), 0.25, include_top=False, pooling="avg")
    weights = random_weights(network)
    program, reference = NumbaProgram(network, weights), NumpyProgram(network, weights)
    for height, width in ((32, 32), (64, 45), (33, 70)):
        x = np.random.default_rng(0).uniform(-1, 1, (1, height, width, 3)).astype(np.float32)
        np.testing.assert_allclose(program(x), reference(x), atol=1e-5)


def test_empty_batch_and_float64_and_strides(random_weights):
    network = NETWORKS["v1"]()
    program, x = NumbaProgram(network, random_weights(network)), images(network, 4)
    assert program(x[:0]).shape == (0, 1000)
    expected = program(x)
    np.testing.assert_array_equal(program(x.astype(np.float64)), expected)
    np.testing.assert_array_equal(program(x[::2]), expected[::2])
    assert expected.dtype == np.float32


def test_subnormal_weights_become_zeros(random_weights):
    network = NETWORKS["v1"]()
    weights = random_weights(network)
    flushed = dict(weights)
    for name in ("conv1/kernel", "conv_pw_3/kernel"):
        weights[name] = np.where(np.abs(weights[name]) < 0.05, 1e-42, weights[name])
        flushed[name] = np.where(weights[name] == np.float32(1e-42), 0, weights[name])
        weights[name], flushed[name] = (w[name].astype("f4") for w in (weights, flushed))
    x = images(network, 1)
    np.testing.assert_array_equal(
        NumbaProgram(network, weights)(x), NumbaProgram(network, flushed)(x)
    )


def test_weights_are_copied(random_weights):
    network = NETWORKS["v1"]()
    weights, x = random_weights(network), images(network, 1)
    program = NumbaProgram(network, weights)
    expected = program(x)
    for values in weights.values():
        values[...] = 0
    np.testing.assert_array_equal(program(x), expected)


def test_errors_name_what_was_found(random_weights, monkeypatch):
    network = NETWORKS["v1"]()
    weights = random_weights(network)
    program = NumbaProgram(network, weights)
    with pytest.raises(ValueError, match=r"any, 64, 64, 3.*found \(1, 64, 63, 3\)"):
        program(np.zeros((1, 64, 63, 3), np.float32))
    with pytest.raises(ValueError, match="found uint8"):
        program(np.zeros((1, 64, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="threads must be at least 1, found 0"):
        program(images(network, 1), threads=0)
    monkeypatch.setenv("NPMOBILENET_NUM_THREADS", "many")
    with pytest.raises(ValueError, match=r"NPMOBILENET_NUM_THREADS.*'many'"):
        program(images(network, 1))
    del weights["conv1/kernel"]
    with pytest.raises(WeightsMismatchError, match="conv1/kernel"):
        NumbaProgram(network, weights)


@pytest.mark.slow
def test_values_do_not_depend_on_who_comes_late(random_weights):
    """Crews of changing size, a batch that leaves a rest, and more threads than cores."""
    network = NETWORKS["v2 wide"]()
    program, x = NumbaProgram(network, random_weights(network)), images(network, 5)
    expected = program(x, threads=1)
    for _ in range(60):
        for threads in (8, 2, 3, 5, 2):
            np.testing.assert_array_equal(program(x, threads=threads), expected)
