"""The arguments of keras.applications are taken, and what Keras refuses is refused."""

import inspect
import warnings

import numpy as np
import pytest

from npmobilenet import MobileNet, MobileNetV2, WeightsMismatchError

keras = pytest.importorskip("keras")

PAIRS = [
    pytest.param(MobileNet, keras.applications.MobileNet, id="v1"),
    pytest.param(MobileNetV2, keras.applications.MobileNetV2, id="v2"),
]
SMALL = {"weights": None, "input_shape": (32, 32, 3)}

NONSENSE = [
    {"weights": "no/such/file.h5"},
    {"weights": "imagenet", "classes": 10},
    {"weights": "imagenet", "alpha": 0.33},
    {"weights": "imagenet", "input_shape": (225, 225, 3)},
    {"weights": "imagenet", "include_top": False, "input_shape": (64, 64, 1)},
    {"weights": "imagenet", "include_top": False, "input_shape": (31, 64, 3)},
    {"weights": "imagenet", "classifier_activation": "sigmoid"},
    {"weights": None, "input_shape": (31, 31, 3)},
    {"weights": None, "input_shape": (224, 224)},
    {"weights": None, "input_shape": (None, None, 3)},
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_signature_is_keras_and_more(ours, theirs):
    names = list(inspect.signature(theirs).parameters)
    parameters = inspect.signature(ours).parameters
    assert list(parameters)[: len(names)] == names
    for name, parameter in inspect.signature(theirs).parameters.items():
        assert parameters[name].default == parameter.default, name


@pytest.mark.parametrize("arguments", NONSENSE, ids=str)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_what_keras_refuses_is_refused(ours, theirs, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"\S"):
            theirs(**arguments)
        with pytest.raises(ValueError, match=r"must|exist|need|have|has|needs"):
            ours(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"alpha": 0},
        {"classes": 0},
        {"pooling": "mean"},
        {"classifier_activation": print},
        {"input_tensor": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("ours", [MobileNet, MobileNetV2])
def test_what_keras_would_fail_on_later_is_refused_at_once(ours, arguments):
    with pytest.raises(ValueError, match="must"):
        ours(**SMALL, **arguments)


def test_depth_multiplier():
    assert MobileNet(**SMALL, depth_multiplier=2).weights["conv_dw_1/kernel"].shape == (3, 3, 32, 2)
    with pytest.raises(ValueError, match="depth_multiplier"):
        MobileNet(**SMALL, depth_multiplier=0)
    with pytest.raises(ValueError, match="depth_multiplier=1"):
        MobileNet(weights="imagenet", depth_multiplier=2)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize(
    "options",
    [
        {"include_top": False},
        {"include_top": False, "pooling": "avg"},
        {"include_top": False, "pooling": "max"},
        {"classes": 7},
        {"classes": 3, "classifier_activation": None},
        {"classes": 2, "classifier_activation": "sigmoid"},
    ],
    ids=str,
)
def test_heads_give_what_keras_gives(ours, theirs, options, rng, tmp_path):
    settings = {"alpha": 0.35, "input_shape": (64, 48, 3), "weights": None}
    reference = theirs(**settings, **options)
    model = ours(**settings, **options, name="mine")
    assert model.name == "mine"
    path = tmp_path / "mine.weights.h5"
    reference.save_weights(path)
    model.load_weights(path)
    x = rng.uniform(-1, 1, (2, 64, 48, 3)).astype(np.float32)
    expected = reference.predict(x, verbose=0)
    found = model.predict(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ours", [MobileNet, MobileNetV2])
def test_a_seed_makes_random_weights_repeatable(ours):
    first, again, other = (ours(**SMALL, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_random_weights_are_glorot_uniform():
    kernel = MobileNet(**SMALL, seed=0).weights["conv_pw_13/kernel"]
    limit = np.sqrt(6 / 2048)
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)


def test_weights_of_another_alpha_name_both_sides(keras_weights):
    with pytest.raises(WeightsMismatchError, match=r"0\.25") as caught:
        MobileNet(alpha=0.5, weights=keras_weights / "mobilenet_2_5_224_tf.h5")
    assert "mobilenet_0.50_224" in str(caught.value)
    with pytest.raises(WeightsMismatchError):
        MobileNetV2(weights=keras_weights / "mobilenet_2_5_224_tf.h5")


def test_a_script_for_keras_applications_runs(keras_weights, shared):
    """Only the imports differ from the same lines written for Keras."""
    results = []
    for library in ("keras", "npmobilenet"):
        if library == "keras":
            from keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
            from keras.preprocessing import image
        else:
            from npmobilenet import images as image
            from npmobilenet.mobilenet_v2 import MobileNetV2, preprocess_input

        img = image.load_img(shared / "images/open/cat_720p.jpg", target_size=(224, 224))
        x = np.expand_dims(image.img_to_array(img), axis=0)
        x = preprocess_input(x)
        model = MobileNetV2(weights=str(keras_weights / "mobilenet_v2_1.0_224_folded_fcint8.h5"))
        results.append(model.predict(x, verbose=0))
    np.testing.assert_allclose(results[1], results[0], atol=1e-5)
    assert results[0].max() > 0.2
