"""Class activation maps: what they must add up to, and what they look like on a picture."""

import numpy as np
import pytest

from npmobilenet.analysis.inside import class_activation_map, overlay
from npmobilenet.architecture import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    MaxPooling2D,
    NetworkBuilder,
    ReLU,
    Reshape,
    mobilenet_v1,
    mobilenet_v2,
)
from npmobilenet.errors import ImageError
from npmobilenet.loading import load_model
from npmobilenet.model import Model

TOLERANCE = 1e-12

HEADS = {
    "V1": [
        GlobalAveragePooling2D(name="pool", keepdims=True),
        Dropout(name="dropout", rate=0.5),
        Conv2D(name="scores", filters=4, kernel_size=(1, 1), padding="same"),
        Reshape(name="reshape", target_shape=(4,)),
        Activation(name="softmax", activation="softmax"),
    ],
    "V2": [
        GlobalAveragePooling2D(name="pool"),
        Dense(name="scores", units=4, activation="softmax"),
    ],
    "logits": [GlobalAveragePooling2D(name="pool"), Dense(name="scores", units=4)],
    "one sigmoid": [
        GlobalAveragePooling2D(name="pool"),
        Dense(name="scores", units=1, use_bias=False, activation="sigmoid"),
    ],
    "normalized": [
        GlobalAveragePooling2D(name="pool"),
        BatchNormalization(name="norm"),
        Dense(name="first", units=6),
        Dense(name="scores", units=4, activation="softmax"),
    ],
    "flattened": [
        Flatten(name="flatten"),
        Dense(name="scores", units=4, activation="softmax"),
    ],
    "old average": [
        AveragePooling2D(name="pool", kernel_size=(3, 2), strides=(2, 2), padding="same"),
        Flatten(name="flatten"),
        Dense(name="scores", units=4, activation="softmax"),
    ],
    "largest": [
        GlobalMaxPooling2D(name="pool"),
        Dense(name="scores", units=4, activation="softmax"),
    ],
    "hidden relu": [
        GlobalAveragePooling2D(name="pool"),
        Dense(name="hidden", units=16, activation="relu"),
        Dropout(name="dropout", rate=0.5),
        Dense(name="scores", units=4, activation="softmax"),
    ],
    "hidden layers": [
        GlobalAveragePooling2D(name="pool"),
        Dense(name="first", units=16),
        ReLU(name="relu", max_value=1.0),
        Dense(name="second", units=8, activation="tanh"),
        Dense(name="scores", units=4, activation="softmax"),
    ],
}
BENT = {"largest", "hidden relu", "hidden layers"}
ENDING_IN_SOFTMAX = [name for name in HEADS if name not in ("logits", "one sigmoid")]
ONE_LAYER = ["V1", "V2", "logits", "flattened", "old average", "largest"]


@pytest.fixture(params=HEADS)
def headed(request, rng, natural_weights):
    """A model of each kind of head behind a feature map of 5 x 6."""
    net = NetworkBuilder(Input(name="image", shape=(20, 24, 3)))
    net.add(Conv2D(name="conv", filters=8, kernel_size=(4, 4), strides=(4, 4)))
    net.add(DepthwiseConv2D(name="features", kernel_size=(3, 3), padding="same"))
    for layer in HEADS[request.param]:
        net.add(layer)
    network = net.build(request.param, input_range=(-1.0, 1.0))
    return Model(network, natural_weights(network, rng), backend="numpy")


def logit(model, batch, index):
    """The number behind softmax or sigmoid, from the float64 probabilities where need be."""
    scores = model.predict(batch.astype(np.float64), dtype=np.float64)[0]
    name = model.name
    if name == "logits":
        return scores[index]
    if name == "one sigmoid":  # of the second class; of the first with the other sign
        return np.log(scores[0] / (1 - scores[0])) * (1 if index else -1)
    return None


def test_the_map_adds_up_to_the_logit(headed, picture):
    for index in range(len(headed.labels)):
        found = class_activation_map(headed, picture, index)
        assert found.label == headed.labels.names[index]
        assert found.layer == "features"
        assert found.values.shape == (5, 6)
        total = found.values.mean() + found.offset
        assert total == pytest.approx(found.logit, rel=TOLERANCE, abs=TOLERANCE)
        own = logit(headed, headed.prepare(picture), index)
        if own is not None:
            assert found.logit == pytest.approx(own, rel=1e-9)


@pytest.mark.parametrize("headed", ENDING_IN_SOFTMAX, indirect=True)
def test_logits_give_the_models_probabilities(headed, picture):
    logits = [class_activation_map(headed, picture, index).logit for index in range(4)]
    batch = headed.prepare(picture).astype(np.float64)
    probabilities = headed.predict(batch, dtype=np.float64)[0]
    exponentials = np.exp(logits - np.max(logits))
    np.testing.assert_allclose(exponentials / exponentials.sum(), probabilities, rtol=1e-10)


def test_linear_heads_are_known(headed, picture):
    assert class_activation_map(headed, picture).is_linear == (headed.name not in BENT)


@pytest.mark.parametrize("headed", ONE_LAYER, indirect=True)
def test_without_hidden_layers_the_offset_is_the_bias(headed, picture):
    found = class_activation_map(headed, picture, 2)
    assert found.offset == pytest.approx(float(headed.weights["scores/bias"][2]), rel=1e-12)


def test_the_map_is_the_classifier_at_every_pixel(small_v1, prepared, picture):
    """The definition of the paper, spelled out."""
    features = small_v1.activations(prepared, dtype=np.float64)["conv_pw_13_relu"][0]
    kernel = small_v1.weights["conv_preds/kernel"][0, 0].astype(np.float64)
    found = class_activation_map(small_v1, picture, 1)
    np.testing.assert_allclose(found.values, features @ kernel[:, 1], rtol=1e-10, atol=1e-12)


def test_the_default_class_is_the_most_probable(small_v1, picture):
    found = class_activation_map(small_v1, picture)
    assert found.class_index == small_v1.classify(picture, 1)[0].index
    assert found.label == small_v1.labels.names[found.class_index]


@pytest.mark.parametrize("crop", [0.875, 0.5, 1.0, None])
def test_the_box_is_what_the_network_sees(small_v1, picture, crop):
    model = Model(small_v1.network, small_v1.weights, backend="numpy", crop=crop)
    found = class_activation_map(model, picture)
    top, left, height, width = found.box
    whole = Model(small_v1.network, small_v1.weights, backend="numpy", crop=None)
    cut = picture[top : top + height, left : left + width]
    np.testing.assert_array_equal(whole.prepare(cut), model.prepare(picture))
    drawn = found.on_picture()
    assert drawn.shape == picture.shape[:2]
    inside = np.zeros(picture.shape[:2], bool)
    inside[top : top + height, left : left + width] = True
    np.testing.assert_array_equal(np.isnan(drawn), ~inside)
    assert found.values.min() <= np.nanmin(drawn) + 1e-6
    assert np.nanmax(drawn) <= found.values.max() + 1e-6


def test_pictures_of_other_kinds_give_the_same_map(small_v1, picture, tmp_path):
    from PIL import Image

    path = tmp_path / "picture.png"
    Image.fromarray(picture).save(path)
    expected = class_activation_map(small_v1, picture)
    with path.open("rb") as stream:
        sources = (path, Image.fromarray(picture), stream)
        for source in sources:
            np.testing.assert_array_equal(
                class_activation_map(small_v1, source).values, expected.values
            )


def test_pictures_of_float(small_v1, picture):
    """Not rounded when resized, as uint8 is, so nearly the same."""
    found = class_activation_map(small_v1, picture.astype(np.float32))
    expected = class_activation_map(small_v1, picture)
    assert found.box == expected.box
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-2)


def test_overlay_is_red_for_the_class_and_blue_against_it(small_v1, picture):
    grey = np.full_like(picture, 128)
    found = class_activation_map(small_v1, picture)
    drawn = overlay(grey, found).astype(int)
    evidence = found.on_picture()
    strong = np.abs(evidence) > np.abs(found.values).max() / 4
    redness = drawn[..., 0] - drawn[..., 2]
    assert np.all(redness[strong & (evidence > 0)] > 0)
    assert np.all(redness[strong & (evidence < 0)] < 0)
    assert len(np.unique(drawn[np.isnan(evidence)])) == 1
    assert drawn[np.isnan(evidence)].max() < 128  # not seen: darker
    with pytest.raises(ValueError, match=r"\(90, 70\), found \(10, 10\)"):
        overlay(picture[:10, :10], found)


@pytest.mark.parametrize("index", [-1, 5])
def test_classes_that_are_not_there(small_v1, picture, index):
    with pytest.raises(ValueError, match=f"from 0 to 4, found {index}"):
        class_activation_map(small_v1, picture, index)


def test_networks_without_classes(picture, rng, natural_weights):
    network = mobilenet_v1((32, 32, 3), 0.25, include_top=False)
    model = Model(network, natural_weights(network, rng), backend="numpy")
    with pytest.raises(ValueError, match="no classifier"):
        class_activation_map(model, picture)


def test_heads_that_cannot_be_taken_apart(picture, rng, natural_weights):
    net = NetworkBuilder(Input(name="image", shape=(8, 8, 3)))
    net.add(Conv2D(name="conv", filters=4, kernel_size=(1, 1)))
    net.add(Flatten(name="flatten"))
    net.add(Reshape(name="again", target_shape=(8, 8, 4)))
    net.add(MaxPooling2D(name="pool", kernel_size=(8, 8)))
    net.add(Flatten(name="flat"))
    net.add(Dense(name="scores", units=2, activation="softmax"))
    network = net.build("odd", input_range=(0.0, 1.0))
    model = Model(network, natural_weights(network, rng), backend="numpy")
    with pytest.raises(ValueError, match="'pool' is a MaxPooling2D"):
        class_activation_map(model, picture)


def test_several_pictures_are_refused(small_v1, picture):
    with pytest.raises(ImageError, match="found list"):
        class_activation_map(small_v1, [picture, picture])


@pytest.mark.parametrize(
    ("file", "label"),
    [
        ("mobilenet_1_0_224_tf.h5", "Egyptian_cat"),
        ("mobilenet_v2_1.0_224_folded_fcint8.h5", "Egyptian_cat"),
    ],
)
def test_real_networks_look_at_the_cat(shared, keras_weights, file, label):
    model = load_model(keras_weights / file, backend="numpy")
    found = class_activation_map(model, shared / "images" / "open" / "cat.bmp")
    assert found.label == label
    assert found.values.mean() + found.offset == pytest.approx(found.logit, rel=1e-12)
    assert found.offset == pytest.approx(_bias(model)[found.class_index], rel=1e-6)
    # The cat's head is in the middle; the corners are wall and floor.
    middle, corners = found.values[2:5, 2:5], found.values[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert middle.min() > corners.max()


def _bias(model):
    name = "conv_preds/bias" if "conv_preds/bias" in model.weights else "predictions/bias"
    return model.weights[name]


def test_v2_with_a_head_of_its_own(picture, rng, natural_weights):
    network = mobilenet_v2((64, 64, 3), 0.35, classes=7)
    model = Model(network, natural_weights(network, rng), backend="numpy")
    found = class_activation_map(model, picture)
    assert found.layer == "out_relu"
    assert found.values.mean() + found.offset == pytest.approx(found.logit, rel=1e-10)
