import threading
import tracemalloc

import numpy as np
import pytest

from npmobilenet import reference
from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Identity,
    Input,
    Layer,
    MaxPooling2D,
    Network,
    NetworkBuilder,
    Normalization,
    ReLU,
    Rescaling,
    Reshape,
    SeparableConv2D,
    ZeroPadding2D,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.errors import WeightsMismatchError
from npmobilenet.interpreter import NumpyProgram, run_layer


def random_weights(network, rng):
    return {
        name: rng.uniform(0.5, 1, shape) if name.endswith("variance") else rng.normal(size=shape)
        for name, shape in network.variables.items()
    }


def every_layer() -> Network:
    """A network with each kind of layer, and options that MobileNet leaves alone."""
    net = NetworkBuilder(Input(name="input", shape=(None, None, 3)))
    net.add(Identity(name="augmentation"))
    net.add(Rescaling(name="rescaling", scale=2.0, offset=(-1.0, 0.0, 1.0)))
    net.add(Normalization(name="normalization"))
    net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 2), strides=(2, 1), padding="same"))
    net.add(BatchNormalization(name="bn", scale=False))
    net.add(ReLU(name="relu", max_value=6.0))
    net.add(ZeroPadding2D(name="pad", padding=((0, 1), (2, 0))))
    net.add(
        DepthwiseConv2D(
            name="depthwise",
            kernel_size=(3, 3),
            padding=((1, 0), (0, 1)),
            dilation=(1, 2),
            depth_multiplier=2,
            activation="tanh",
        )
    )
    net.add(SeparableConv2D(name="separable", kernel_size=(2, 2), filters=6))
    entry = net.add(Conv2D(name="pointwise", filters=6, kernel_size=(1, 1), activation="relu"))
    net.add(Conv2D(name="stepping", filters=6, kernel_size=(1, 1), strides=(2, 2)))
    net.add(Conv2D(name="straight", filters=6, kernel_size=(1, 1)), entry)
    net.add(Add(name="add"), entry, "straight")
    net.add(MaxPooling2D(name="max", kernel_size=(2, 2), strides=(2, 2), padding="same"))
    net.add(AveragePooling2D(name="average", kernel_size=(2, 2), padding="same"))
    net.add(GlobalMaxPooling2D(name="largest"))
    net.add(GlobalAveragePooling2D(name="mean", keepdims=True), "average")
    net.add(Flatten(name="flatten"))
    net.add(Dropout(name="dropout", rate=0.5))
    net.add(Add(name="both"), "dropout", "largest")
    net.add(Dense(name="dense", units=4))
    net.add(Reshape(name="reshape", target_shape=(2, -1)))
    net.add(Activation(name="softmax", activation="softmax"))
    return net.build("every_layer")


def test_each_layer_runs_as_the_operation_with_its_options(rng):
    network = every_layer()
    weights = random_weights(network, rng)
    x = rng.standard_normal((2, 9, 8, 3))
    found = NumpyProgram(network, weights).activations(x)
    assert list(found) == [node.name for node in network]

    def w(layer, *names):
        return [weights[f"{layer}/{name}"] for name in names]

    expected = {
        "input": x,
        "augmentation": x,
        "rescaling": x * 2 + [-1, 0, 1],
        "normalization": reference.normalization(
            found["rescaling"], *w("normalization", "mean", "variance")
        ),
        "conv": reference.convolution(
            found["normalization"], *w("conv", "kernel", "bias"), strides=(2, 1), padding="same"
        ),
        "bn": reference.batch_normalization(
            found["conv"],
            *w("bn", "moving_mean", "moving_variance"),
            beta=weights["bn/beta"],
            epsilon=1e-3,
        ),
        "relu": np.clip(found["bn"], 0, 6),
        "pad": np.pad(found["relu"], ((0, 0), (0, 1), (2, 0), (0, 0))),
        "depthwise": np.tanh(
            reference.depthwise_convolution(
                found["pad"],
                *w("depthwise", "kernel", "bias"),
                padding=((1, 0), (0, 1)),
                dilation=(1, 2),
            )
        ),
        "separable": reference.separable_convolution(
            found["depthwise"], *w("separable", "depthwise_kernel", "pointwise_kernel", "bias")
        ),
        "pointwise": np.maximum(
            found["separable"] @ weights["pointwise/kernel"][0, 0] + weights["pointwise/bias"], 0
        ),
        "stepping": found["pointwise"][:, ::2, ::2] @ weights["stepping/kernel"][0, 0]
        + weights["stepping/bias"],
        "add": found["pointwise"] + found["straight"],
        "max": reference.max_pooling(found["add"], (2, 2), strides=(2, 2), padding="same"),
        "average": reference.average_pooling(found["max"], (2, 2), padding="same"),
        "largest": found["average"].max(axis=(1, 2)),
        "mean": found["average"].mean(axis=(1, 2), keepdims=True),
        "flatten": found["mean"].reshape(2, 6),
        "dropout": found["flatten"],
        "both": found["flatten"] + found["largest"],
        "dense": found["both"] @ weights["dense/kernel"] + weights["dense/bias"],
        "reshape": found["dense"].reshape(2, 2, 2),
        "softmax": reference.softmax(found["reshape"]),
    }
    assert expected.keys() == found.keys() - {"straight"}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_shapes_are_those_that_the_network_foretells(rng):
    network = every_layer().with_input_shape((9, 8, 3))
    found = NumpyProgram(network, random_weights(network, rng)).activations(np.ones((2, 9, 8, 3)))
    assert {name: value.shape[1:] for name, value in found.items()} == network.shapes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "network", [mobilenet_v1((32, 40, 3), 0.25), mobilenet_v2((33, 32, 3), 0.35)]
)
def test_the_dtype_is_that_of_the_batch(network, dtype, rng):
    program = NumpyProgram(network, random_weights(network, rng))
    x = rng.uniform(-1, 1, (1, *network.input_shape)).astype(dtype)
    activations = program.activations(x)
    assert {value.dtype for value in activations.values()} == {np.dtype(dtype)}
    np.testing.assert_array_equal(program(x), activations["predictions"])


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_any_batch_size(batch, rng):
    network = mobilenet_v2((32, 32, 3), 0.35)
    program = NumpyProgram(network, random_weights(network, rng))
    assert program(np.ones((batch, 32, 32, 3), np.float32)).shape == (batch, 1000)


def test_an_image_gives_the_same_alone_and_in_a_batch(rng):
    network = every_layer()
    program = NumpyProgram(network, random_weights(network, rng))
    x = rng.standard_normal((3, 9, 8, 3))
    np.testing.assert_allclose(program(x)[1:2], program(x[1:2]), rtol=1e-12)


def test_arguments_are_never_changed(rng):
    network = every_layer()
    weights = random_weights(network, rng)
    x = rng.standard_normal((2, 9, 8, 3))
    for value in (x, *weights.values()):
        value.flags.writeable = False  # NumPy raises where one is written to
    NumpyProgram(network, weights)(x)


def test_later_changes_of_the_weights_do_not_show(rng):
    network = mobilenet_v1((32, 32, 3), 0.25)
    weights = random_weights(network, rng)
    program = NumpyProgram(network, weights)
    x = rng.uniform(-1, 1, (1, 32, 32, 3))
    before = program(x)
    weights["conv_preds/bias"][0] += 100
    np.testing.assert_array_equal(program(x), before)


def test_threads_may_share_a_program(rng):
    network = mobilenet_v1((32, 32, 3), 0.25)
    program = NumpyProgram(network, random_weights(network, rng))
    batches = rng.uniform(-1, 1, (8, 1, 32, 32, 3)).astype(np.float32)
    results = [None] * len(batches)

    def work(i):
        results[i] = program(batches[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for batch, result in zip(batches, results, strict=True):
        np.testing.assert_array_equal(result, program(batch))


def test_values_are_freed_after_their_last_reader(rng):
    """What is kept at any time is what later layers still read, and little else."""
    network = mobilenet_v1((96, 96, 3), 1.0)
    program = NumpyProgram(network, random_weights(network, rng))
    x = np.ones((4, 96, 96, 3), np.float32)
    program(x)
    tracemalloc.start()
    program(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    kept = program.activations(x)
    tracemalloc.stop()
    assert peak < sum(value.nbytes for value in kept.values()) / 3


def test_a_missing_variable_is_named(rng):
    network = mobilenet_v1((32, 32, 3), 0.25)
    weights = random_weights(network, rng)
    del weights["conv_dw_1/kernel"]
    with pytest.raises(WeightsMismatchError, match=r"'conv_dw_1/kernel' of shape \(3, 3, 8, 1\)"):
        NumpyProgram(network, weights)


def test_a_wrong_shape_is_named_on_both_sides(rng):
    weights = random_weights(mobilenet_v1((32, 32, 3), 0.5), rng)
    with pytest.raises(
        WeightsMismatchError,
        match=r"'conv1/kernel' of shape \(3, 3, 3, 8\), found \(3, 3, 3, 16\)",
    ):
        NumpyProgram(mobilenet_v1((32, 32, 3), 0.25), weights)


@pytest.mark.parametrize(
    "shape", [(), (32, 32, 3), (1, 33, 32, 3), (1, 32, 32, 4), (1, 1, 32, 32, 3)]
)
def test_another_shape_of_batch_is_refused(shape, rng):
    network = mobilenet_v1((32, 32, 3), 0.25)
    program = NumpyProgram(network, random_weights(network, rng))
    with pytest.raises(ValueError, match=r"takes a batch of shape \(any, 32, 32, 3\), found"):
        program(np.ones(shape, np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, bool])
def test_another_dtype_of_batch_is_refused(dtype, rng):
    network = every_layer()
    program = NumpyProgram(network, random_weights(network, rng))
    with pytest.raises(ValueError, match=rf"float32 or float64, found {np.dtype(dtype)}"):
        program(np.ones((1, 9, 9, 3), dtype))


def test_a_layer_that_nobody_knows_is_named():
    with pytest.raises(TypeError, match="'mystery' is a Layer"):
        run_layer(Layer(name="mystery"), {}, np.ones((1, 2)))
