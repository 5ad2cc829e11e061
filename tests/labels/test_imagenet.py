"""The table of ImageNet classes, and `decode_predictions` against Keras."""

import json

import numpy as np
import pytest

from npmobilenet.labels import decode_predictions, imagenet_labels


def test_equals_the_class_index_of_keras(shared):
    index = json.loads((shared / "labels" / "imagenet_class_index.json").read_text())
    labels = imagenet_labels()
    assert len(labels) == 1000
    assert not labels.has_background
    assert {str(i): [labels.wnid(i), name] for i, name in enumerate(labels.names)} == index


def test_1001_classes_have_the_order_of_googles_file(shared):
    lines = (shared / "labels" / "imagenet_labels_1001.txt").read_text().splitlines()
    labels = imagenet_labels(1001)
    assert labels.has_background
    assert labels.names[0] == lines[0] == "background"
    assert labels.wnid(0) is None
    assert len(labels) == len(lines) == 1001
    for name, synonyms in zip(labels.names, lines, strict=True):
        assert name.replace("_", " ").lower() in [s.strip().lower() for s in synonyms.split(",")]


def test_other_numbers_of_classes():
    with pytest.raises(ValueError, match="1000 or 1001"):
        imagenet_labels(10)


@pytest.fixture
def keras_decode(shared, monkeypatch):
    """Keras' function, with the file that it would download."""
    pytest.importorskip("tensorflow")
    from keras.src.applications import imagenet_utils

    index = json.loads((shared / "labels" / "imagenet_class_index.json").read_text())
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", index)
    return imagenet_utils.decode_predictions


@pytest.mark.parametrize("top", [1, 3, 5, 1000, 2000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_decode_predictions_equals_keras(rng, keras_decode, top, dtype):
    preds = rng.dirichlet(np.ones(1000), 4).astype(dtype)
    assert all(len(np.unique(row)) == 1000 for row in preds)  # no ties
    assert decode_predictions(preds, top) == keras_decode(preds, top)
    assert decode_predictions(preds)[0][0][2].dtype == np.dtype(dtype)


def test_decode_predictions_with_a_background_class():
    preds = np.zeros((1, 1001), np.float32)
    preds[0, [0, 1, 1000]] = 0.5, 0.3, 0.2
    assert decode_predictions(preds, top=3) == [
        [
            (None, "background", np.float32(0.5)),
            ("n01440764", "tench", np.float32(0.3)),
            ("n15075141", "toilet_tissue", np.float32(0.2)),
        ]
    ]


def test_ties_go_to_the_lower_index():
    assert [name for _, name, _ in decode_predictions(np.zeros((1, 1000)), top=2)[0]] == [
        "tench",
        "goldfish",
    ]


@pytest.mark.parametrize("shape", [(1000,), (2, 999), (1, 1, 1000), (2, 10)])
def test_decode_predictions_refuses_shapes(keras_decode, shape):
    for function in (keras_decode, decode_predictions):
        with pytest.raises(ValueError, match="predictions"):
            function(np.zeros(shape))


def test_decode_predictions_refuses_top():
    with pytest.raises(ValueError, match="top"):
        decode_predictions(np.zeros((1, 1000)), top=0)
