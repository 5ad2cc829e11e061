"""Frozen graphs followed back from their output: the same values as TensorFlow's, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npmobilenet.errors import ModelFileError
from npmobilenet.formats import ModelFile, read_model_file, read_weights, tensors_digest
from npmobilenet.interpreter import NumpyProgram
from tests.formats.slim_graphs import SlimGraph, content, outputs

pytestmark = pytest.mark.tensorflow

Build = Callable[[SlimGraph], Any]


@pytest.fixture
def tf() -> Any:
    return pytest.importorskip("tensorflow")


def read(tf: Any, path: Path, build: Build, **options: Any) -> ModelFile:
    with tf.Graph().as_default() as graph:
        build(SlimGraph(tf, **options))
    path.write_bytes(content(graph))
    return read_model_file(path)


def same(
    tf: Any, path: Path, build: Build, low: float = -1.0, high: float = 1.0, **options: Any
) -> ModelFile:
    """A model that gives what TensorFlow gives, for images in a range."""
    made = SlimGraph(tf, **options)
    with tf.Graph().as_default() as graph:
        output = build(made)
    path.write_bytes(content(graph))
    images = np.random.default_rng(0).uniform(low, high, (2, 64, 64, 3)).astype(np.float32)
    expected = outputs(tf, graph, made, output, images)
    model = read_model_file(path)
    found = NumpyProgram(model.network.with_input_shape((64, 64, 3)), model.weights)(images)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    assert expected.std(axis=0).max() > 1e-3  # between images
    return model


def plain(made: SlimGraph) -> Any:
    return made.probabilities(made.logits(made.pooled(made.features(made.placeholder()))))


def poets(made: SlimGraph) -> Any:
    """retrain.py of 2017 and 2018 takes the logits as its bottleneck."""
    return made.retrained(made.logits(made.pooled(made.features(made.placeholder()))))


def flat(made: SlimGraph, image: Any) -> Any:
    features = made.features(image)
    return made.tf.squeeze(made.pooled(features), [1, 2], name="hub_output/feature_vector/Squeeze")


def hub(made: SlimGraph) -> Any:
    """retrain.py of 2018 on takes a module whose images are 0 to 1."""
    tf = made.tf
    doubled = tf.multiply(made.placeholder(), 2.0, name="module_apply_default/hub_input/Mul")
    return made.retrained(
        flat(made, tf.subtract(doubled, 1.0, name="module_apply_default/hub_input/Sub"))
    )


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_a_plain_graph(version: int, fused: bool, tf: Any, tmp_path: Path) -> None:
    model = same(tf, tmp_path / "graph.pb", plain, version=version, fused=fused)
    assert (model.include_top, model.classes) == (True, 11)
    assert model.network.input_shape == (64, 64, 3)
    assert "classes are those of TF-Slim, where class 0 is the background" in model.assumptions


@pytest.mark.parametrize("version", [1, 2])
def test_a_retrained_graph_has_its_own_classes(version: int, tf: Any, tmp_path: Path) -> None:
    model = same(tf, tmp_path / "graph.pb", poets, version=version)
    assert (model.kind, model.classes) == (("mobilenet", "mobilenet_v2")[version - 1], 4)
    assert model.network.nodes[-1].layer.activation == "softmax"
    assert not any("background" in line for line in model.assumptions)
    again = read_weights(tmp_path / "graph.pb", model.network)
    assert tensors_digest(again) == tensors_digest(model.weights)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_a_retrained_module_of_the_hub(version: int, fused: bool, tf: Any, tmp_path: Path) -> None:
    """Its constants are named after the module; its images are 0 to 1."""
    model = same(
        tf, tmp_path / "graph.pb", hub, 0.0, 1.0, version=version, fused=fused, module="module/"
    )
    assert (model.include_top, model.classes) == (False, 4)
    assert model.network.input_range == (0, 1)


@pytest.mark.parametrize("version", [1, 2])
def test_logits_and_features_are_outputs_too(version: int, tf: Any, tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    model = same(
        tf, path, lambda made: made.logits(made.pooled(made.features(made.placeholder()))),
        version=version,
    )  # fmt: skip
    assert model.classes == 11
    model = same(tf, path, lambda made: flat(made, made.placeholder()), version=version)
    assert (model.classes, model.pooling) == (None, "avg")
    model = same(tf, path, lambda made: made.features(made.placeholder()), version=version)
    assert model.network.output_shape[:2] == (2, 2)


def test_one_sigmoid(tf: Any, tmp_path: Path) -> None:
    def build(made: SlimGraph) -> Any:
        return made.retrained(flat(made, made.placeholder()), classes=1, last="sigmoid")

    assert same(tf, tmp_path / "graph.pb", build).classes == 1


def test_further_layers(tf: Any, tmp_path: Path) -> None:
    """Two products, the second with its matrix turned, and a mean in place of the pooling."""

    def build(made: SlimGraph) -> Any:
        rng = np.random.default_rng(4)
        x = tf.reduce_mean(made.features(made.placeholder()), [1, 2], name="pool")
        first = tf.constant(rng.normal(0, 0.03, (x.shape[-1], 8)).astype(np.float32), name="h/w")
        second = tf.constant(rng.normal(size=(3, 8)).astype(np.float32), name="h/v")
        x = tf.nn.relu(tf.matmul(x, first, name="h/MatMul"), name="h/Relu")
        x = tf.matmul(x, second, transpose_b=True, name="h/MatMul_1")
        return tf.nn.softmax(tf.nn.bias_add(x, np.float32([1, 0, -1]), name="h/add"), name="out")

    model = same(tf, tmp_path / "graph.pb", build, side=None)
    assert [node.name for node in model.network][-4:] == ["h", "relu", "h_1", "softmax"]
    assert "images have 224 x 224 pixels" in model.assumptions


def test_pictures_in_bytes_of_pixels(tf: Any, tmp_path: Path) -> None:
    def build(made: SlimGraph) -> Any:
        x = tf.cast(made.placeholder("uint8"), tf.float32, name="cast")
        x = tf.divide(tf.subtract(x, 127.5, name="sub"), 127.5, name="div")
        return made.retrained(flat(made, x))

    model = read(tf, tmp_path / "graph.pb", build)
    assert model.network.input_range == (0, 255)


def test_what_the_output_needs_not_is_named(tf: Any, tmp_path: Path) -> None:
    """As the decoding of pictures that retrain.py leaves beside the network."""

    def build(made: SlimGraph) -> Any:
        other = tf.compat.v1.placeholder("uint8", (None, None, 3), name="DecodeJPGInput")
        tf.cast(other, tf.float32, name="Cast")
        return poets(made)

    model = same(tf, tmp_path / "graph.pb", build)
    assert model.classes == 4
    assert "nodes that the output does not depend on: Cast, DecodeJPGInput" in model.assumptions


CHANGES: dict[str, dict[str, Any]] = {
    "stride": {"strides": [1, 2, 2, 1]},
    "padding": {"padding": "VALID"},
    "dilation": {"dilations": [2, 2]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_network_under_the_same_names_is_refused(
    change: str, tf: Any, tmp_path: Path
) -> None:
    def edit(name: str, options: dict[str, Any]) -> None:
        if name == "conv_dw_5":
            options |= CHANGES[change]

    with pytest.raises(ModelFileError, match=r"'conv_dw_5' \(DepthwiseConv2D\) of a MobileNet"):
        read(tf, tmp_path / "graph.pb", lambda made: made.features(made.placeholder()), edit=edit)


def test_other_activations_are_refused(tf: Any, tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    with tf.Graph().as_default() as graph:
        plain(SlimGraph(tf))
    serialised = graph.as_graph_def()
    for node in serialised.node:
        if node.name.endswith("conv_pw_3_relu/Relu6"):
            node.op = "Relu"
    path.write_bytes(serialised.SerializeToString())
    with pytest.raises(ModelFileError, match="is not followed by layer 'conv_pw_3_relu'"):
        read_model_file(path)


def test_a_block_left_out_is_refused(tf: Any, tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    with tf.Graph().as_default() as graph:
        plain(SlimGraph(tf))
    serialised = graph.as_graph_def()
    for node in serialised.node:
        for number, name in enumerate(node.input):
            if name.endswith("conv_pw_8_relu/Relu6"):
                node.input[number] = name.replace("pw_8", "pw_7")
    path.write_bytes(serialised.SerializeToString())
    with pytest.raises(ModelFileError, match="'conv_dw_9'"):
        read_model_file(path)


def test_statistics_of_the_batch_are_refused(tf: Any, tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    with tf.Graph().as_default() as graph:
        plain(SlimGraph(tf, fused=True))
    serialised = graph.as_graph_def()
    for node in serialised.node:
        if node.op.startswith("FusedBatchNorm"):
            node.attr["is_training"].b = True
    path.write_bytes(serialised.SerializeToString())
    with pytest.raises(ModelFileError, match="statistics of the batch, which is not"):
        read_model_file(path)


def behind(tf: Any, change: Callable[[Any], Any]) -> Build:
    return lambda made: change(flat(made, made.placeholder()))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tanh", r"node 'x' \('Tanh'\) behind a MobileNet is not supported"),
        ("twice", r"node 'x' \('Mul'\) with 2 inputs is not supported"),
        ("scaled", r"node 'x' \('Mul'\) behind a MobileNet is not supported"),
        ("unknown", r"node 'x/MatMul' \('MatMul'\) with an argument that is no constant"),
        ("two outputs", r"the graph has 2 outputs \('x', 'y'\), expected one"),
        ("resized", r"'ResizeBilinear'\) before the MobileNet is not supported"),
        ("squared", r"'Square'\) before the MobileNet is not supported"),
        ("map", "on the features of the MobileNet, which are not averaged"),
        ("window", "averages over 1 x 1 features, which is all of them only for images of 32"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    name: str, message: str, tf: Any, tmp_path: Path
) -> None:
    def both(x: Any) -> None:
        tf.nn.softmax(x, name="x")
        tf.nn.sigmoid(x, name="y")

    def unknown(x: Any) -> Any:
        matrix = tf.random.normal((x.shape[-1], 2), name="x/noise")
        return tf.matmul(x, matrix, name="x/MatMul")

    def resized(made: SlimGraph) -> Any:
        made.side = 100
        x = tf.compat.v1.image.resize_bilinear(made.placeholder(), (64, 64), name="x")
        made.side = 64
        return flat(made, x)

    builds: dict[str, Build] = {
        "tanh": behind(tf, lambda x: tf.tanh(x, name="x")),
        "twice": behind(tf, lambda x: tf.multiply(x, x, name="x")),
        "scaled": behind(tf, lambda x: tf.multiply(x, 2.0, name="x")),
        "unknown": behind(tf, unknown),
        "two outputs": behind(tf, both),
        "resized": resized,
        "squared": lambda made: flat(made, tf.square(made.placeholder(), name="x")),
        "map": lambda made: tf.nn.relu(made.features(made.placeholder()), name="x"),
        "window": lambda made: tf.nn.avg_pool2d(
            made.features(made.placeholder()), 1, 1, "VALID", name="x"
        ),
    }
    with pytest.raises(ModelFileError, match=message):
        read(tf, tmp_path / "graph.pb", builds[name])


def test_circles_and_gaps_in_a_graph_are_refused(tf: Any, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        poets(SlimGraph(tf))
    path = tmp_path / "graph.pb"
    changes = {
        "which is not in the graph": lambda node: node.input.__setitem__(0, "nowhere"),
        "read each other": lambda node: node.input.__setitem__(0, "final_result"),
        "expected the first output": lambda node: node.input.__setitem__(0, node.input[0] + ":1"),
    }
    for message, change in changes.items():
        serialised = graph.as_graph_def()
        change(next(node for node in serialised.node if node.name.endswith("Wx_plus_b/MatMul")))
        path.write_bytes(serialised.SerializeToString())
        with pytest.raises(ModelFileError, match=message):
            read_model_file(path)


def test_names_and_attributes_stand_once(tf: Any, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        plain(SlimGraph(tf))
    path = tmp_path / "graph.pb"
    serialised = graph.as_graph_def()
    serialised.node.append(serialised.node[5])
    path.write_bytes(serialised.SerializeToString())
    with pytest.raises(ModelFileError, match="two nodes of the graph are named"):
        read_model_file(path)
