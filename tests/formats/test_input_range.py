"""What a file says of the range of images, what is assumed, and what is left unknown."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from npmobilenet import load_model
from npmobilenet.architecture import (
    Activation,
    Add,
    Conv2D,
    GlobalAveragePooling2D,
    Identity,
    Input,
    Layer,
    MaxPooling2D,
    Network,
    Node,
    Normalization,
    ReLU,
    Rescaling,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.errors import ModelFileError, PictureInputError
from npmobilenet.formats import read_model_file, write_keras_h5, write_keras_model
from npmobilenet.formats.backbone import PUBLISHED
from npmobilenet.formats.input_range import expected_range
from npmobilenet.formats.structure import Structure, structure_behind
from npmobilenet.initializers import random_weights


def scaled(scale: Any, offset: Any = 0.0, name: str = "a") -> Rescaling:
    return Rescaling(name=name, scale=scale, offset=offset)


def starting_with(*layers: Layer) -> Network:
    return Network("x", (Node(Input(name="in", shape=(8, 8, 3)), ()),)).followed_by(*layers)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], None),
        ([Identity(name="i")], None),
        ([scaled(1 / 127.5, -1.0)], (0, 255)),
        ([scaled(1 / 255)], (0, 255)),
        ([scaled(1 / 255), scaled(2.0, -1.0, "b")], (0, 255)),
        ([scaled(2.0, -1.0)], (0, 1)),
        ([scaled(0.5, 0.5)], (-1, 1)),
        ([scaled((1 / 127.5,) * 3, (-1.0,) * 3)], (0, 255)),
        ([scaled(1 / 127.0, -1.0)], (0, 255)),
        ([scaled(1 / 128, -1.0)], (0, 255)),
        ([scaled(-1 / 127.5, 1.0)], (0, 255)),
        ([scaled((1 / 127.5, 1, 1), -1.0)], None),
        ([scaled(0.0)], None),
        ([ReLU(name="r"), scaled(1 / 127.5, -1.0)], None),
        ([Identity(name="i"), scaled(1 / 127.5, -1.0)], (0, 255)),
        ([MaxPooling2D(name="m", kernel_size=(2, 2)), scaled(1 / 255)], (0, 255)),
        ([scaled(1.0, (-103.9, -116.8, -123.7))], (0, 255)),
    ],
)  # fmt: skip
def test_arithmetic_says_it(layers: list[Layer], expected: Any) -> None:
    assert expected_range(starting_with(*layers), {}).values == expected


@pytest.mark.parametrize(
    ("mean", "deviation", "expected"),
    [
        ((127.5,) * 3, (127.5,) * 3, (0, 255)),
        ((123.7, 116.3, 103.5), (58.4, 57.1, 57.4), (0, 255)),
        ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (0, 1)),
        ((0.5,) * 3, (0.5,) * 3, (0, 1)),
        ((-0.05, 0.0, 0.1), (0.5,) * 3, (-1, 1)),
        ((3000.0,) * 3, (500.0,) * 3, None),
    ],
)
def test_statistics_say_it(mean: Any, deviation: Any, expected: Any) -> None:
    weights = {"n/mean": np.array(mean), "n/variance": np.square(deviation)}
    found = expected_range(starting_with(Normalization(name="n")), weights)
    assert found.values == expected
    plain = expected in ((0, 255), (0, 1)) and mean[0] in (127.5, 0.5)
    assert (found.assumption is None) == (expected is None or plain)


def renamed(network: Network, name: Any) -> Network:
    """The same network, with other names of its layers."""
    nodes = [
        Node(replace(node.layer, name=name(node.name)), tuple(map(name, node.inputs)))
        for node in network
    ]
    return Network("renamed", tuple(nodes))


@pytest.mark.parametrize("alpha", [0.25, 0.33, 1.0, 1.4])
@pytest.mark.parametrize("make", [mobilenet_v1, mobilenet_v2])
def test_a_mobilenet_is_known_by_its_structure(make: Any, alpha: float) -> None:
    kind, blocks = ("mobilenet", 13) if make is mobilenet_v1 else ("mobilenet_v2", 17)
    network = renamed(make((96, 96, 3), alpha), lambda name: f"left_{name}_x")
    found = structure_behind(network, "left_input_layer_x")
    assert found is not None
    assert (found.kind, found.blocks) == (kind, blocks)
    # Neighbouring widths round to the same table; a published one is named before the others.
    assert found.alpha == pytest.approx(alpha, abs=0.02)
    assert found.alpha == alpha or alpha not in PUBLISHED[kind]


@pytest.mark.parametrize(
    ("make", "last", "blocks"),
    [
        (mobilenet_v1, "conv_pw_11_relu", 11),
        (mobilenet_v1, "conv_dw_3", 3),
        (mobilenet_v1, "conv_pw_2_relu", None),
        (mobilenet_v2, "block_13_expand_relu", 13),
        (mobilenet_v2, "block_2_add", 3),
        (mobilenet_v2, "block_1_expand_relu", None),
    ],
)
def test_a_network_may_be_cut_anywhere(make: Any, last: str, blocks: int | None) -> None:
    network = renamed(make((96, 96, 3), 0.5).until(last), lambda name: name[::-1])
    found = structure_behind(network, "input_layer"[::-1])
    assert (found and found.blocks) == blocks


def test_what_is_only_like_a_mobilenet_is_none() -> None:
    """A network of the same shapes with other activations is somebody's own."""
    network = mobilenet_v1((96, 96, 3), 0.25)
    nodes = [
        Node(replace(node.layer, max_value=None), node.inputs)
        if isinstance(node.layer, ReLU)
        else node
        for node in network
    ]
    own = renamed(Network("own", tuple(nodes)), lambda name: f"own_{name}")
    assert structure_behind(own, "own_input_layer") is None
    assert expected_range(own, {}).values is None


def test_depth_multipliers_and_relu6_as_an_activation() -> None:
    network = mobilenet_v1((96, 96, 3), 0.5, 2)
    nodes = [
        Node(Activation(name=node.name, activation="relu6"), node.inputs)
        if isinstance(node.layer, ReLU)
        else node
        for node in network
    ]
    found = structure_behind(Network("old", tuple(nodes)), "input_layer")
    assert found == Structure("mobilenet", 0.5, 2, 13)


def test_branches_must_agree() -> None:
    """Two networks on the same images, each with its own arithmetic or none."""

    def together(left: list[Layer], right: list[Layer]) -> Network:
        first = Node(Input(name="in", shape=(64, 64, 3)), ())
        nodes = [first]
        for side, layers in (("l", left), ("r", right)):
            source = first.name
            for layer in layers:
                nodes.append(Node(layer, (source,)))
                source = layer.name
            body = renamed(
                mobilenet_v1((64, 64, 3), 0.25, include_top=False), f"{side}_{{}}".format
            )
            for node in body.nodes[1:]:
                inputs = [source if name == f"{side}_input_layer" else name for name in node.inputs]
                nodes.append(Node(node.layer, tuple(inputs)))
        nodes.append(Node(Add(name="sum"), ("l_conv_pw_13_relu", "r_conv_pw_13_relu")))
        return Network("two", tuple(nodes))

    bare = expected_range(together([], []), {})
    assert bare.values == (-1, 1)
    assert bare.assumption is not None
    both = [scaled(1 / 127.5, -1.0, "a")], [scaled(1 / 255, 0.0, "b")]
    assert expected_range(together(*both), {}).values == (0, 255)
    assert expected_range(together([scaled(1 / 127.5, -1.0)], []), {}).values == (0, 255)
    differ = [scaled(1 / 127.5, -1.0, "a")], [scaled(2.0, -1.0, "b")]
    assert expected_range(together(*differ), {}).values is None


def test_a_layer_in_front_may_have_learned_any_range() -> None:
    """Grey pictures that a convolution colours for a MobileNet behind it."""
    body = mobilenet_v1((64, 64, 3), 0.25)
    front = Conv2D(name="colour", filters=3, kernel_size=(1, 1))
    nodes = [Node(Input(name="grey", shape=(64, 64, 1)), ()), Node(front, ("grey",))]
    for node in body.nodes[1:]:
        inputs = ["colour" if name == "input_layer" else name for name in node.inputs]
        nodes.append(Node(node.layer, tuple(inputs)))
    assert expected_range(Network("grey", tuple(nodes)), {}, 0.25).values is None


def test_weights_of_any_width_are_known(tmp_path: Path) -> None:
    network = replace(mobilenet_v1((64, 64, 3), 0.6171875, classes=3), input_range=None)
    write_keras_h5(tmp_path / "x.h5", network, random_weights(network, 0))
    found = read_model_file(tmp_path / "x.h5")
    assert found.alpha == 0.6171875
    assert found.network.input_range == (-1, 1)
    assert any("images come as values of -1 to 1" in line for line in found.assumptions)


def small(*front: Layer) -> Network:
    return starting_with(
        *front,
        Conv2D(name="conv", filters=4, kernel_size=(3, 3)),
        GlobalAveragePooling2D(name="pool"),
    )


@pytest.mark.parametrize("write", [write_keras_model, write_keras_h5])
@pytest.mark.parametrize("images", [(0.0, 255.0), (0.0, 1.0), (-0.5, 0.25)])
def test_files_keep_the_range(write: Any, images: tuple[float, float], tmp_path: Path) -> None:
    network = replace(mobilenet_v1((32, 32, 3), 0.25, classes=3), input_range=images)
    write(tmp_path / "x.h5", network, random_weights(network, 0))
    found = read_model_file(tmp_path / "x.h5")
    assert found.network.input_range == images
    assert not any("images come as" in line for line in found.assumptions)
    given = read_model_file(tmp_path / "x.h5", input_range=(3.0, 4.0))
    assert given.network.input_range == (3.0, 4.0)


@pytest.mark.parametrize("text", ["", "0", "1 0", "0 nan", "a b", "0 1 2", "1 1"])
def test_a_broken_range_is_refused(text: str, tmp_path: Path) -> None:
    network = small()
    write_keras_model(tmp_path / "x.h5", network, random_weights(network, 0))
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file.attrs["input_range"] = text
    with pytest.raises(ModelFileError, match=r"'input_range' is .*two numbers"):
        read_model_file(tmp_path / "x.h5")


def test_nothing_says_it(tmp_path: Path) -> None:
    """Pictures are refused; prepared batches are none of this file's business."""
    network = small()
    write_keras_model(tmp_path / "x.h5", network, random_weights(network, 0))
    model = load_model(tmp_path / "x.h5", backend="numpy")
    picture = np.zeros((8, 8, 3), np.uint8)
    for take in (model.prepare, model.embed):
        with pytest.raises(PictureInputError, match=r"input_range=\(0, 1\)\) or --input-range 0 1"):
            take(picture)
    assert model.predict(np.zeros((1, 8, 8, 3))).shape == (1, 4)
    given = load_model(tmp_path / "x.h5", backend="numpy", input_range=(0, 1))
    assert given.prepare(picture + 255).max() == 1
    assert given.assumptions == ()


@pytest.mark.parametrize("value", [(1, 0), (0, 0), (0,), (0, 1, 2), "ab", 3, (0, np.nan)])
def test_a_range_is_two_numbers(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two numbers such as"):
        load_model(tmp_path / "x.h5", input_range=value)


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["whole.h5", "model.keras"])
@pytest.mark.parametrize("name", ["left_{}", "{}_2", "{}_right"])
def test_renamed_layers_of_keras(
    name: str, form: str, keras: Any, save: Any, tmp_path: Path
) -> None:
    source = keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, classes=5)
    for layer in source.layers:
        layer.name = name.format(layer.name)
    model = read_model_file(save(source, tmp_path, form))
    assert (model.kind, model.alpha, model.network.input_range) == ("mobilenet", 0.25, (-1, 1))
    assert any("images come as values of -1 to 1" in line for line in model.assumptions)


@pytest.mark.tensorflow
def test_a_single_renamed_layer_and_a_cut(keras: Any, save: Any, tmp_path: Path) -> None:
    source = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None)
    source.get_layer("block_3_expand").name = "mine"
    cut = keras.Model(source.input, source.get_layer("block_13_expand_relu").output)
    for one in (source, cut):
        model = read_model_file(save(one, tmp_path, "model.keras"))
        assert (model.kind, model.alpha) == ("mobilenet_v2", 0.35)
        assert model.network.input_range == (-1, 1)


@pytest.mark.tensorflow
def test_the_real_network_under_other_names(keras: Any, shared: Path, tmp_path: Path) -> None:
    """Top-1 of V1 0.25 with renamed layers, and embeddings of it cut, as with its own names."""
    weights = shared / "weights" / "keras" / "mobilenet_2_5_224_tf.h5"
    source = keras.applications.MobileNet(alpha=0.25, weights=None)
    source.load_weights(weights)
    cut = keras.Model(source.input, source.get_layer("conv_pw_11_relu").output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HDF5 is called legacy
        cut.save(tmp_path / "cut.h5")
        for layer in source.layers:
            layer.name = f"left_{layer.name}"
        source.save(tmp_path / "renamed.h5")
    pictures = sorted((shared / "images" / "imagenet").glob("*.jpg"))[::8]
    own, other = load_model(weights), load_model(tmp_path / "renamed.h5")
    logits = own.infer(pictures)
    np.testing.assert_allclose(other.infer(pictures), logits, atol=1e-4)
    names = [path.name.partition("_")[0] for path in pictures]
    right = np.mean([own.labels.wnid(int(best)) for best in logits.argmax(1)] == np.array(names))
    assert right > 0.45  # 57 % of all; 0.5 % with pictures of 0 to 255
    map_of = own.activations(own.prepare(pictures[:4]))["conv_pw_11_relu"]
    embedded = load_model(tmp_path / "cut.h5").embed(pictures[:4])
    np.testing.assert_allclose(embedded, map_of.mean((1, 2)), atol=1e-4)
