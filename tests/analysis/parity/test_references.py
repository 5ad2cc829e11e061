"""Every reference runs our networks, and fused layers are where they should be."""

import numpy as np
import pytest

from npmobilenet.analysis.folding import fold
from npmobilenet.analysis.parity import backend_outputs, parity
from npmobilenet.analysis.references import fused_layers, run_reference
from npmobilenet.architecture import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Flatten,
    GlobalMaxPooling2D,
    Input,
    NetworkBuilder,
    ReLU,
    Reshape,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.initializers import random_weights
from npmobilenet.interpreter import NumpyProgram

PACKAGES = {
    "tensorflow": "tensorflow",
    "litert": "ai_edge_litert",
    "onnxruntime": "onnxruntime",
    "numpy64": "numpy",
}


@pytest.fixture(params=sorted(PACKAGES))
def reference(request) -> str:
    pytest.importorskip(PACKAGES[request.param])
    return request.param


@pytest.fixture(
    params=[pytest.param("litert", marks=pytest.mark.slow), "numpy64", "onnxruntime", "tensorflow"]
)
def reference_of_mobilenets(request) -> str:
    """TensorFlow's converter takes ten seconds for a MobileNet of any size."""
    pytest.importorskip(PACKAGES[request.param])
    return request.param


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_references_are_near_the_oracle(reference, tiny, tiny_weights, tiny_batch):
    exact = NumpyProgram(tiny, tiny_weights).activations(tiny_batch.astype(np.float64))
    found = run_reference(reference, tiny, tiny_weights, tiny_batch)
    names = [node.name for node in tiny]
    assert sorted([*found.values, *found.fused]) == sorted(names)
    assert {"image", "relu", "project_bn", "add", "classes"} <= found.values.keys()
    if reference in ("tensorflow", "numpy64"):
        assert not found.fused
    else:
        assert found.fused["bn"] == "relu"
        assert found.fused["expand"] == "expand_relu"
    for name, values in found.values.items():
        np.testing.assert_allclose(values, exact[name], rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("build", [mobilenet_v1, mobilenet_v2])
def test_mobilenets_in_every_reference(reference_of_mobilenets, build):
    network = build((32, 32, 3), 0.35 if build is mobilenet_v2 else 0.25)
    weights = random_weights(network, 1)
    batch = np.random.default_rng(2).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    ours = backend_outputs(network, weights, batch, "numpy")
    found = parity(network, weights, batch, ours, reference_of_mobilenets)
    assert found.first_divergence is None
    assert found.reference_divergence is None
    assert found.layers[-1].apart.max_absolute < 1e-6


def test_unfoldable_layers_stay(reference):
    """What another layer reads, or what no convolution stands before."""
    net = NetworkBuilder(Input(name="image", shape=(6, 6, 2)))
    net.add(BatchNormalization(name="first"))
    conv = net.add(Conv2D(name="conv", filters=2, kernel_size=(3, 3), padding="same"))
    net.add(ReLU(name="relu", max_value=3.0))
    net.add(Reshape(name="reshape", target_shape=(3, 12, 2)))
    net.add(Reshape(name="back", target_shape=(6, 6, 2)))
    net.add(Add(name="add"), conv, "back")
    net.add(Flatten(name="flat"))
    net.add(Reshape(name="again", target_shape=(6, 6, 2)))
    net.add(AveragePooling2D(name="average", kernel_size=(3, 3), strides=(2, 2), padding="same"))
    net.add(GlobalMaxPooling2D(name="largest"))
    net.add(Activation(name="sigmoid", activation="sigmoid"))
    network = net.build("odd")
    rng = np.random.default_rng(3)
    weights = {
        name: rng.uniform(0.5, 1, shape).astype(np.float32)
        for name, shape in network.variables.items()
    }
    batch = rng.normal(size=(2, 6, 6, 2)).astype(np.float32)
    exact = NumpyProgram(network, weights).activations(batch.astype(np.float64))
    found = run_reference(reference, network, weights, batch)
    for name, values in found.values.items():
        np.testing.assert_allclose(values, exact[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_folded_networks_give_the_same(tiny, tiny_weights, tiny_batch):
    folded = fold(tiny, tiny_weights)
    exact = NumpyProgram(tiny, tiny_weights).activations(tiny_batch.astype(np.float64))
    found = NumpyProgram(folded.network, folded.weights).activations(tiny_batch.astype(np.float64))
    assert not any(isinstance(node.layer, BatchNormalization) for node in folded.network)
    assert folded.stands_for["conv"] == "relu"
    assert folded.stands_for["project"] == "project_bn"
    assert set(folded.stands_for) == {node.name for node in folded.network}
    for name, values in found.items():
        original = exact[folded.stands_for[name]]
        np.testing.assert_allclose(values, original, rtol=1e-5, atol=1e-5, err_msg=name)


def test_fused_layers_go_to_the_next_that_is_stored(tiny):
    fused = fused_layers(tiny, {"image", "relu", "add", "classes"})
    assert fused["conv"] == "relu"
    assert fused["project_bn"] == "add"
    assert fused["pad"] == "classes"
    assert "add" not in fused


def test_what_a_reference_cannot_run_is_said(tiny_batch):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    net = NetworkBuilder(Input(name="image", shape=(12, 10, 3)))
    net.add(Activation(name="odd", activation="gelu"))
    network = net.build("odd")
    with pytest.raises(ValueError, match="'odd' has activation 'gelu'"):
        run_reference("onnxruntime", network, {}, tiny_batch)
