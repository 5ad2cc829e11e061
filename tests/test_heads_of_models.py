"""What `classify`, `infer` and labels make of the ends that people's networks have."""

import json

import numpy as np
import pytest

from npmobilenet import LabelsError, Model, load_model
from npmobilenet.architecture import (
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    NetworkBuilder,
)
from npmobilenet.formats import write_keras_model
from npmobilenet.initializers import random_weights

PICTURE = np.random.default_rng(5).integers(0, 256, (9, 11, 3), np.uint8)


@pytest.fixture(params=["numpy", "numba"])
def build(request):
    """``build(units, activation)``: a model with a dense layer of so many units."""

    def build(units, activation="linear", **options):
        net = NetworkBuilder(Input(name="in", shape=(8, 8, 3)))
        net.add(Conv2D(name="conv", filters=8, kernel_size=(3, 3), activation="relu"))
        net.add(GlobalAveragePooling2D(name="pool"))
        net.add(Dense(name="dense", units=units, activation=activation))
        network = net.build("net", input_range=(0.0, 1.0))
        weights = random_weights(network, 1)
        weights["dense/kernel"] = weights["dense/kernel"] * 3
        return Model(network, weights, backend=request.param, **options)

    return build


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_a_single_unit_tells_two_classes_apart(build, activation):
    model = build(1, activation, labels=["cat", "dog"])
    logit = model.infer(PICTURE)
    assert logit.shape == (1, 1)
    dog = float(sigmoid(logit[0, 0]))
    assert dog != pytest.approx(0.5, abs=0.05)
    found = {one.label: one.probability for one in model.classify(PICTURE)}
    assert found == {"dog": pytest.approx(dog), "cat": pytest.approx(1 - dog)}
    assert max(found, key=found.get) == model.classify(PICTURE, topk=1)[0].label
    said = " ".join(model.assumptions)
    assert "the single unit gives the probability of 'dog'; 'cat' has the rest" in said
    assert ("sigmoid is applied" in said) == (activation == "linear")
    assert [one.label for one in model.classify(PICTURE, allow=["cat"])] == ["cat"]


def test_labels_of_a_single_unit(build, tmp_path):
    assert build(1, "sigmoid").labels.names == ("0", "1")
    with pytest.raises(LabelsError, match="which has 2 classes, which its single unit tells apart"):
        build(1, "sigmoid", labels=["dog"])
    model = build(1, "sigmoid")
    write_keras_model(tmp_path / "x.h5", model.network, model.weights, ("cat", "dog"))
    assert load_model(tmp_path / "x.h5", backend="numpy").labels.names == ("cat", "dog")
    with pytest.raises(ValueError, match="3 names for model 'net', which has 2 classes"):
        write_keras_model(tmp_path / "x.h5", model.network, model.weights, ("a", "b", "c"))


def test_a_head_without_an_activation(build):
    model = build(4)
    logits = model.infer(PICTURE)[0]
    np.testing.assert_allclose(logits, model.predict(model.prepare(PICTURE))[0], rtol=1e-6)
    exponentials = np.exp(logits - logits.max())
    expected = exponentials / exponentials.sum()
    found = {one.index: one.probability for one in model.classify(PICTURE, topk=4)}
    np.testing.assert_allclose([found[index] for index in range(4)], expected, rtol=1e-5)
    assert any("logits: softmax is applied" in line for line in model.assumptions)


def test_what_is_no_head_is_no_classifier(build):
    model = build(4, "relu")
    for take in (model.classify, model.infer):
        with pytest.raises(ValueError, match=r"has no classifier|does not end in"):
            take(PICTURE)


@pytest.mark.parametrize(
    "labels",
    [
        ["ant", "bee", "cat", "dog"],
        ("ant", "bee", "cat", "dog"),
        np.array(["ant", "bee", "cat", "dog"]),
        {0: "ant", 1: "bee", 2: "cat", 3: "dog"},
        {3: "dog", 2: "cat", 1: "bee", 0: "ant"},
        {"dog": 3, "cat": 2, "ant": 0, "bee": np.int64(1)},
        (name for name in ("ant", "bee", "cat", "dog")),
        {"ant": 0, "bee": 1, "cat": 2, "dog": 3}.keys(),
    ],
)
def test_labels_of_many_kinds(labels):
    net = NetworkBuilder(Input(name="in", shape=(4,)))
    net.add(Dense(name="dense", units=4))
    network = net.build("net")
    if isinstance(labels, type({}.keys())):
        with pytest.raises(LabelsError, match="expected a list of names"):
            Model(network, random_weights(network, 0), backend="numpy", labels=labels)
        return
    model = Model(network, random_weights(network, 0), backend="numpy", labels=labels)
    assert model.labels.names == ("ant", "bee", "cat", "dog")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (b"ant", "found bytes"),
        (3, "found int"),
        ([], "no labels"),
        (["a", 1], "class 1: found '1'"),
        ({0: "a", 2: "b"}, "not '1'"),
        ({"a": 0, "b": 0}, "the same number"),
        ({"a": 1, "b": 2}, "not '0'"),
        ({True: "a", False: "b"}, "not '0'"),
        (["a"], "1 labels for model 'net', which has 4 classes"),
    ],
)
def test_labels_that_are_none(labels, message):
    net = NetworkBuilder(Input(name="in", shape=(4,)))
    net.add(Dense(name="dense", units=4))
    network = net.build("net")
    with pytest.raises(LabelsError, match=message):
        Model(network, random_weights(network, 0), backend="numpy", labels=labels)


def test_labels_from_a_file_of_keras(tmp_path, build):
    path = tmp_path / "class_indices.json"
    path.write_text(json.dumps({"rose": 2, "daisy": 0, "tulip": 3, "iris": 1}))
    for labels in (path, str(path)):
        assert build(4, labels=labels).labels.names == ("daisy", "iris", "rose", "tulip")
