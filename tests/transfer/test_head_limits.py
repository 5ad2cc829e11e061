"""Heads at the ends of what numbers and labels can be: values, or one clear sentence."""

import numpy as np
import pytest

from npmobilenet.transfer.head import SoftmaxHead
from npmobilenet.transfer.knn_head import KNNHead


@pytest.fixture
def blobs(rng):
    """Two classes with names, float32."""
    classes = rng.integers(0, 2, 60)
    centres = np.array([[2, -1, 1, 0], [-2, 1, -1, 0]], np.float32)
    samples = centres[classes] + rng.standard_normal((60, 4)).astype(np.float32)
    return samples, np.array(["cat", "dog"])[classes]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 9e14), (np.float64, 1e100)])
def test_large_features_give_values(rng, optimizer, dtype, size):
    samples = (rng.standard_normal((40, 3)) * size / 5).astype(dtype)
    labels = np.where(samples[:, 1] > 0, "up", "down")
    head = SoftmaxHead(optimizer=optimizer, epochs=5).fit(samples, labels)
    assert np.isfinite(head.kernel_).all()
    assert np.isfinite(head.predict_proba(samples)).all()
    assert head.score(samples, labels) > 0.6


@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e30), (np.float64, 1e300)])
def test_features_too_large_to_square_are_named(blobs, dtype, size):
    samples, labels = blobs[0].astype(dtype), blobs[1]
    large = samples.copy()
    large[7, 1] = -size
    message = rf"feature 1 of sample 7 is -{size:g}".replace("+", r"\+") + ", expected at most"
    for refused in (
        lambda: SoftmaxHead().fit(large, labels),
        lambda: SoftmaxHead().fit(samples, labels, validation=(large, labels)),
    ):
        with pytest.raises(ValueError, match=message):
            refused()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_no_numbers_are_named(blobs, value):
    head = SoftmaxHead(epochs=1).fit(*blobs)
    samples = blobs[0].copy()
    samples[5, 2] = value
    for refused in (
        lambda: head.fit(samples, blobs[1]),
        lambda: head.predict(samples),
        lambda: KNNHead().fit(samples, blobs[1]),
    ):
        with pytest.raises(ValueError, match=rf"NaN or infinity: feature 2 of sample 5 is {value}"):
            refused()


def test_float64_takes_what_float32_does_not(blobs):
    large = blobs[0].astype(np.float64)
    large[7, 1] = 1e30
    head = SoftmaxHead(epochs=1).fit(large, blobs[1])
    assert np.isfinite(head.predict_proba(large)).all()


def test_a_training_that_diverges_is_no_classifier(blobs):
    head = SoftmaxHead(optimizer="sgd", learning_rate=1e300, momentum=0.99, epochs=50)
    with pytest.raises(ValueError, match=r"left the range of numbers in epoch .* learning_rate"):
        head.fit(blobs[0].astype(np.float32), blobs[1])
    with pytest.raises(ValueError, match="call fit first"):
        head.predict(blobs[0])
    with pytest.raises(ValueError, match=r"left the range of numbers .* l2 \(found 1e\+100\)"):
        SoftmaxHead(optimizer="sgd", l2=1e100).fit(*blobs)


def test_any_finite_features_can_be_asked_about(blobs):
    head = SoftmaxHead(epochs=20, learning_rate=1.0).fit(*blobs)
    largest = np.float32(3e38) * np.sign(blobs[0][:4].astype(np.float32))
    found = head.predict_proba(largest)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(head.predict(largest), head.predict(largest / np.float32(1e30)))
    with pytest.raises(ValueError, match=r"feature \d of sample 0 is .*beyond all numbers"):
        head.predict(np.full((1, head.n_features_in_), 1.7e308) * np.sign(head.kernel_[:, 0]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "b", np.nan], "no label at position 2: found nan"),
        (["a", None, "b"], "no label at position 1: found None"),
        ([1, 2, float("nan")], "no label at position 2"),
        (["a", "b", np.datetime64("NaT")], "no label at position 2"),
        (["a", 1, "b"], "names and numbers"),
        ([1, 2.5, 3], "Unknown label type: float at position 1"),
        ([1, float("inf"), 3], "Unknown label type: float at position 1"),
        (["a", b"b", "c"], "Unknown label type: bytes at position 1"),
        (["a", ("b",), "c"], "Unknown label type: tuple at position 1"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("head", [SoftmaxHead, KNNHead])
def test_labels_as_objects(head, labels, message):
    objects = np.empty(3, object)
    objects[:] = labels
    with pytest.raises(ValueError, match=message):
        head().fit(np.eye(3), objects)


def test_objects_that_are_names_or_numbers_are_labels():
    for labels in (["b", "a", np.str_("b")], [2, np.int64(1), 2.0], [True, False, True]):
        head = SoftmaxHead(epochs=1).fit(np.eye(3), np.array(labels, object))
        assert len(head.classes_) == 2
    with pytest.raises(ValueError, match="Unknown label type: complex"):
        head.fit(np.eye(3), np.array([1j, 2, 3]))


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1][::-1],
        lambda x: x.tolist(),
        lambda x: x.astype(object),
        lambda x: x.astype(">f8"),
    ],
)
def test_other_layouts_of_the_same_features(blobs, change):
    samples, labels = blobs[0].astype(np.float64), blobs[1]
    expected = SoftmaxHead(epochs=3).fit(samples, labels)
    found = SoftmaxHead(epochs=3).fit(change(samples), labels)
    np.testing.assert_allclose(found.kernel_, expected.kernel_, rtol=1e-9)
    assert found.kernel_.dtype == expected.kernel_.dtype
