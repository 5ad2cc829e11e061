"""What a user holds: predict, embed, classify, weights in and out."""

import numpy as np
import pytest

from npmobilenet import LabelsError, MobileNet, MobileNetV2, Model, ModelFileError, load_model
from npmobilenet.images import InputRangeWarning
from npmobilenet.labels import Labels


@pytest.fixture(scope="module", params=["numba", "numpy"])
def backend(request):
    return request.param


def make_small(seed, backend):
    """A small network whose activations do not fade, as Glorot's kernels would let them."""
    model = MobileNet(weights=None, alpha=0.25, input_shape=(64, 64, 3), classes=5, seed=seed)
    lively = {
        name: value * 3 if name.endswith("kernel") else value
        for name, value in model.weights.items()
    }
    return Model(model.network, lively, backend=backend)


@pytest.fixture(scope="module")
def small(backend):
    return make_small(1, backend)


@pytest.fixture(scope="module")
def v1(keras_weights, backend):
    return load_model(keras_weights / "mobilenet_1_0_224_tf.h5", backend=backend)


@pytest.fixture
def batch(rng):
    return rng.uniform(-1, 1, (5, 64, 64, 3)).astype(np.float32)


def test_predict_in_steps_is_predict_at_once(small, batch):
    whole = small.predict(batch)
    assert whole.shape == (5, 5)
    np.testing.assert_allclose(small.predict(batch, batch_size=2), whole, rtol=1e-5)
    np.testing.assert_array_equal(small(batch), whole)
    assert small.predict(batch[:0]).shape == (0, 5)


def test_predict_computes_in_float32_unless_asked(small, batch):
    assert small.predict(batch.astype(np.float64)).dtype == np.float32
    exact = small.predict(batch, dtype=np.float64)
    assert exact.dtype == np.float64
    np.testing.assert_allclose(small.predict(batch), exact, rtol=1e-4)


def test_predict_shows_progress_when_asked(small, batch, capsys):
    small.predict(batch, batch_size=2, verbose=1)
    assert "predict" in capsys.readouterr().err
    small.predict(batch, batch_size=2, verbose=0)
    assert capsys.readouterr().err == ""


def test_predict_leaves_its_argument_alone(small, batch):
    before = batch.copy()
    small.predict(batch)
    small.activations(batch)
    np.testing.assert_array_equal(batch, before)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((64, 64, 3), "newaxis"), ((1, 32, 32, 3), "64"), ((1, 64, 64, 1), "3"), ((64,), "64")],
)
def test_wrong_shapes_name_both_sides(small, shape, message):
    with pytest.raises(ValueError, match=message) as caught:
        small.predict(np.zeros(shape, np.float32))
    assert str(shape) in str(caught.value)


def test_an_impossible_batch_size_is_refused(small, batch):
    with pytest.raises(ValueError, match="batch_size"):
        small.predict(batch, batch_size=0)


def test_there_is_no_training_mode(small, batch):
    with pytest.raises(ValueError, match="training"):
        small(batch, training=True)


def test_an_unknown_backend_is_refused(small):
    with pytest.raises(ValueError, match="backend must be one of"):
        Model(small.network, small.weights, backend="abacus")


def test_unprepared_pixels_give_a_warning(small):
    with pytest.warns(InputRangeWarning, match="-1"):
        small.predict(np.full((1, 64, 64, 3), 200.0, np.float32))


def test_activations_have_every_layer(batch):
    small = make_small(1, "numpy")
    layers = small.activations(batch)
    assert list(layers) == [layer.name for layer in small.layers]
    for name, value in layers.items():
        assert value.shape == (5, *small.network.shapes[name])
    np.testing.assert_array_equal(layers["predictions"], small.predict(batch))


def test_activations_say_what_is_fused(batch):
    fast, plain = make_small(1, "numba"), make_small(1, "numpy")
    layers, every = fast.activations(batch), plain.activations(batch)
    assert layers.keys() | layers.fused.keys() == every.keys()
    assert layers.fused["conv_dw_3_bn"] in layers
    for name, value in layers.items():
        np.testing.assert_allclose(value, every[name], rtol=1e-4, atol=1e-4, err_msg=name)
    np.testing.assert_array_equal(layers["predictions"], fast.predict(batch))


def test_threads_change_nothing_but_time(batch):
    small = make_small(1, "numba")
    np.testing.assert_array_equal(small.predict(batch, threads=1), small.predict(batch, threads=2))
    np.testing.assert_array_equal(small(batch, threads=2), small.predict(batch))
    with pytest.raises(ValueError, match="threads"):
        small.predict(batch, threads=0)
    with pytest.raises(ValueError, match="BLAS"):
        make_small(1, "numpy").predict(batch, threads=2)


def test_facts(small):
    assert small.input_shape == (None, 64, 64, 3)
    assert small.output_shape == (None, 5)
    assert small.get_layer("conv_dw_2").strides == (2, 2)
    assert small.count_params() == sum(weight.size for weight in small.get_weights())
    assert "mobilenet_0.25_64" in repr(small)
    with pytest.raises(ValueError, match="no layer named 'conv_dw_99'"):
        small.get_layer("conv_dw_99")


def test_weights_are_in_keras_order(small):
    keras = pytest.importorskip("keras")
    reference = keras.applications.MobileNet(
        weights=None, alpha=0.25, input_shape=(64, 64, 3), classes=5
    )
    ours = [weight.shape for weight in small.get_weights()]
    trainable = [tuple(weight.shape) for weight in reference.trainable_weights]
    assert ours[: len(trainable)] == trainable


def test_weights_cannot_be_changed_behind_the_programs_back(small):
    with pytest.raises(ValueError, match="read-only"):
        small.weights["conv1/kernel"][0] = 0


def test_weights_go_out_and_in(small, backend, batch, tmp_path):
    path = tmp_path / "small.h5"
    small.save_weights(path)
    other = make_small(2, backend)
    before = other.predict(batch)
    assert not np.array_equal(before, small.predict(batch))
    other.load_weights(path)
    np.testing.assert_array_equal(other.predict(batch), small.predict(batch))
    again = MobileNet(weights=path, alpha=0.25, input_shape=(64, 64, 3), classes=5, backend=backend)
    np.testing.assert_array_equal(again.predict(batch), small.predict(batch))


def test_a_failed_load_leaves_the_model_as_it_was(small, batch, tmp_path):
    before = small.predict(batch)
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelFileError, match=r"broken\.h5"):
        small.load_weights(broken)
    np.testing.assert_array_equal(small.predict(batch), before)


def test_derived_programs_follow_new_weights(backend, tmp_path):
    model, donor = make_small(1, backend), make_small(2, backend)
    picture = np.full((64, 64, 3), 90, np.uint8)
    assert not np.array_equal(model.embed(picture), donor.embed(picture))
    assert not np.array_equal(model.infer(picture), donor.infer(picture))
    donor.save_weights(tmp_path / "donor.h5")
    model.load_weights(tmp_path / "donor.h5")
    np.testing.assert_array_equal(model.embed(picture), donor.embed(picture))
    np.testing.assert_array_equal(model.infer(picture), donor.infer(picture))


def test_labels_must_fit_the_classes(small):
    names = Labels(names=("a", "b"))
    with pytest.raises(LabelsError, match="2 labels"):
        Model(small.network, small.weights, labels=names)
    own = Model(small.network, small.weights, labels=Labels(names=tuple("abcde")))
    found = own.classify(np.zeros((80, 60, 3), np.uint8), topk=5)
    assert sorted(prediction.label for prediction in found) == list("abcde")


def test_only_classifiers_classify():
    model = MobileNetV2(weights=None, alpha=0.35, include_top=False)
    with pytest.raises(ValueError, match="no classifier"):
        model.classify(np.zeros((64, 64, 3), np.uint8))
    assert model.embed(np.zeros((64, 64, 3), np.uint8)).shape == (1, 1280)


def test_classify_takes_one_picture(small):
    with pytest.raises(ValueError, match="one picture"):
        small.classify(np.zeros((2, 64, 64, 3), np.uint8))


def test_summary_prints_layers_and_totals(small, capsys):
    lines = []
    small.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "conv_pw_13 (Conv2D)" in text
    assert f"Total params: {small.count_params():,}" in text
    small.summary()
    assert "conv_pw_13" in capsys.readouterr().out


def test_photographs_are_what_they_show(v1, shared):
    expected = {"cat.bmp": "Egyptian_cat", "hot_dog.jpg": "hotdog", "owl.jpg": "great_grey_owl"}
    for name, label in expected.items():
        labels = [found.label for found in v1.classify(shared / "images" / "open" / name, topk=5)]
        assert label in labels, (name, labels)


def test_logits_and_embedding_belong_to_the_probabilities(v1, shared):
    picture = shared / "images" / "open" / "owl.jpg"
    probabilities = v1.predict(v1.prepare(picture))
    logits = v1.infer(picture)
    powers = np.exp(logits - logits.max())
    np.testing.assert_allclose(powers / powers.sum(), probabilities, atol=1e-6)
    embedding = v1.embed([picture, picture])
    assert embedding.shape == (2, 1024)
    np.testing.assert_array_equal(v1.infer(picture, embedding=True), embedding[:1])
    features = v1.activations(v1.prepare(picture))["global_average_pooling2d"].reshape(1, -1)
    np.testing.assert_allclose(embedding[:1], features, rtol=1e-6)
