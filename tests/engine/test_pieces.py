"""A program in pieces computes what it computes as a whole."""

import numpy as np
import pytest

from npmobilenet.architecture import (
    Activation,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.engine import NumbaProgram
from npmobilenet.engine.pieces import idle


def with_a_layer_that_has_no_kernel():
    net = NetworkBuilder(Input(name="image", shape=(9, 9, 3)))
    net.add(DepthwiseConv2D(name="dw", kernel_size=(3, 3)))
    net.add(Activation(name="sigmoid", activation="sigmoid"))
    net.add(Conv2D(name="conv", filters=5, kernel_size=(2, 2)))
    net.add(GlobalAveragePooling2D(name="gap"))
    net.add(Dense(name="dense", units=4, activation="softmax"))
    return net.build("mixed")


NETWORKS = [
    mobilenet_v1((64, 48, 3), 0.25),
    mobilenet_v2((64, 48, 3), 0.35),
    mobilenet_v2((33, 33, 3), 0.35, include_top=False),
    with_a_layer_that_has_no_kernel(),
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_pieces_compute_what_one_call_does(network, fused, threads, rng, random_weights):
    program = NumbaProgram(network, random_weights(network), fused=fused)
    x = rng.uniform(-1, 1, (1, *network.input_shape)).astype(np.float32)
    expected = program(x, threads)
    pieces, output = program.pieces(x, threads)
    np.testing.assert_array_equal(output, expected)
    output.fill(-1)
    for piece in pieces:
        piece.call()
    np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize("network", NETWORKS[:2], ids=lambda network: network.name)
def test_unfused_is_the_same_network(network, rng, random_weights):
    weights = random_weights(network)
    x = rng.uniform(-1, 1, (1, *network.input_shape)).astype(np.float32)
    fused, unfused = (NumbaProgram(network, weights, fused=way) for way in (True, False))
    np.testing.assert_allclose(unfused(x), fused(x), rtol=1e-5, atol=1e-7)
    kernels = sum(name.endswith("/kernel") for name in weights)
    assert len(fused.pieces(x)[0]) < kernels <= len(unfused.pieces(x)[0])


def test_a_copy_of_the_input_is_a_piece_without_layers(rng, random_weights):
    network = with_a_layer_that_has_no_kernel()
    x = rng.uniform(-1, 1, (1, 9, 9, 3)).astype(np.float32)
    pieces, _ = NumbaProgram(network, random_weights(network)).pieces(x)
    assert [piece.layers for piece in pieces] == [
        (),
        ("dw",),
        ("sigmoid",),
        ("conv",),
        ("gap",),
        ("dense",),
    ]


def test_a_batch_is_refused(random_weights):
    network = with_a_layer_that_has_no_kernel()
    program = NumbaProgram(network, random_weights(network))
    with pytest.raises(ValueError, match="for one image, found a batch of 2"):
        program.pieces(np.zeros((2, 9, 9, 3), np.float32))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_empty_job_ends(threads):
    call = idle(threads)
    for _ in range(3):
        call()
