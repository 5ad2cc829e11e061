"""The KNN classifier: against a naive search, its defined corner cases, and its file."""

import json
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npmobilenet.errors import ModelFileError
from npmobilenet.transfer.knn import KNNClassifier
from npmobilenet.transfer.knn_codes import encode, encode_query
from npmobilenet.transfer.knn_kernel import nearest_coded
from npmobilenet.transfer.knn_search import nearest


def naive(units, class_ids, query, k):
    """Every similarity summed without error, then sorted."""

    def similarity(row):
        return math.fsum(float(a) * float(b) for a, b in zip(row, query, strict=True))

    ranked = sorted(range(len(units)), key=lambda i: (-similarity(units[i]), class_ids[i], i))
    return ranked[:k]


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    examples=st.integers(1, 60),
    size=st.integers(1, 70),
    k=st.integers(1, 12),
    spread=st.sampled_from([1.0, 1e-3, 1e-6]),
    threads=st.integers(1, 3),
)
def test_both_searches_equal_a_naive_one(seed, examples, size, k, spread, threads):
    rng = np.random.default_rng(seed)
    centre = rng.standard_normal(size)
    units = unit(centre + spread * rng.standard_normal((examples, size))).astype(np.float32)
    # Exact duplicates, so that order among equals is seen too.
    units[rng.integers(0, examples, examples // 3)] = units[0]
    class_ids = rng.integers(0, 3, examples).astype(np.int32)
    query = unit(centre + spread * rng.standard_normal(size))
    k = min(k, examples)
    expected = naive(units, class_ids, query, k)
    # Different rows closer than float64 rounding may come in any order: compare similarities.
    exact = (units.astype(np.float64) @ query)[expected]
    for rows, similarities in (
        nearest(units, class_ids, query, k),
        nearest_coded(units, class_ids, encode(units), query, k, threads),
        nearest_coded(units, class_ids, encode(units[: examples // 2]), query, k, threads),
    ):
        np.testing.assert_allclose(similarities, exact, rtol=0, atol=1e-14)
        if np.diff(np.unique(units.astype(np.float64) @ query)).min(initial=1) > 1e-14:
            assert rows.tolist() == expected


def test_where_threads_cannot_be_started(rng, one_more_thread):
    """The thread that asks searches by itself."""
    units = unit(rng.standard_normal((200, 16))).astype(np.float32)
    class_ids, query = np.zeros(200, np.int32), unit(rng.standard_normal(16))
    found = nearest_coded(units, class_ids, encode(units), query, 5, threads=4)
    for values, expected in zip(found, nearest(units, class_ids, query, 5), strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-14)


def test_the_bound_of_the_codes_holds(rng):
    units = unit(rng.gamma(0.3, size=(300, 128))).astype(np.float32)
    codes = encode(units)
    query = unit(rng.standard_normal(128))
    query_codes, query_scale, query_error = encode_query(query)
    rough = (codes.values.astype(np.int64) @ query_codes) * codes.scales * query_scale
    slack = codes.errors + (1 + codes.errors) * query_error
    assert (np.abs(units @ query - rough) <= slack + 1e-6).all()
    assert slack.max() < 0.1  # loose enough to be true is not enough


def test_codes_of_more_rows_take_over_those_of_the_first(rng):
    units = rng.standard_normal((50, 8)).astype(np.float32)
    grown, whole = encode(units, encode(units[:20])), encode(units)
    np.testing.assert_array_equal(grown.values, whole.values)
    np.testing.assert_array_equal(grown.scales, whole.scales)
    np.testing.assert_array_equal(grown.errors, whole.errors)


def test_codes_cannot_overflow():
    query = np.full(200_000, 200_000**-0.5)
    codes, scale, _ = encode_query(query)
    assert np.abs(codes.astype(np.int64)).sum() * 127 < 2**31
    np.testing.assert_allclose(codes * scale, query, rtol=0.02)


@pytest.mark.parametrize("uncoded", [0, 5])
def test_a_large_classifier_uses_the_codes_and_answers_the_same(rng, monkeypatch, uncoded):
    classifier = KNNClassifier()
    points = rng.standard_normal((200, 16))
    for number, point in enumerate(points):
        classifier.add_example(point, number % 4)
    queries = rng.standard_normal((10, 16))
    small = [classifier.predict_class(query, k=5) for query in queries]
    monkeypatch.setattr("npmobilenet.transfer.knn._LARGE", 1)
    monkeypatch.setattr("npmobilenet.transfer.knn._MOST_UNCODED", uncoded)
    monkeypatch.setattr("npmobilenet.transfer.knn.nearest", None)
    assert [classifier.predict_class(query, k=5) for query in queries] == small
    for number, query in enumerate(queries):  # the codes must grow with the examples
        classifier.add_example(query, f"new {number}")
        assert classifier.predict_class(query, k=1).label == f"new {number}"
        assert 0 <= 201 + number - len(classifier._codes) <= uncoded


def test_two_classes():
    classifier = KNNClassifier()
    for value in (0.0, 0.1, 0.2):
        classifier.add_example([1.0, value], "right")
        classifier.add_example([[value, 1.0]], "up")
    found = classifier.predict_class([5.0, 0.3])
    assert (found.label, found.class_index) == ("right", 0)
    assert found.confidences == {"right": 1.0, "up": 0.0}
    assert classifier.get_class_example_count() == {"right": 3, "up": 3}
    assert classifier.get_num_classes() == 2
    found = classifier.predict_class(np.float32([0.2, 1.0]), k=4)
    assert found.label == "up"
    assert found.confidences == {"right": 0.25, "up": 0.75}


def test_equal_votes_go_to_the_nearest_neighbour():
    classifier = KNNClassifier()
    classifier.add_example([1.0, 0.5], "far")
    classifier.add_example([1.0, 0.1], "near")
    found = classifier.predict_class([1.0, 0.0], k=2)
    assert found.label == "near"
    assert found.confidences == {"far": 0.5, "near": 0.5}


def test_equal_similarities_go_to_the_class_that_came_first():
    classifier = KNNClassifier()
    classifier.add_class("first")
    classifier.add_example([2.0, 0.0], "second")
    classifier.add_example([1.0, 0.0], "first")
    assert classifier.predict_class([1.0, 0.0], k=1).label == "first"


def test_k_is_at_most_the_number_of_examples():
    classifier = KNNClassifier()
    classifier.add_example([1.0, 0.0], "a")
    assert classifier.predict_class([0.0, 1.0], k=100).confidences == {"a": 1.0}


def test_zeros_subnormals_and_huge_values_never_give_nan():
    classifier = KNNClassifier()
    classifier.add_example([0.0, 0.0], "zero")
    classifier.add_example([1e-320, 0.0], "small")
    classifier.add_example([0.0, 1e308], "large")
    classifier.add_class("empty")
    for query, label in (
        ([0.0, 0.0], "zero"),
        ([1e300, 0.0], "small"),
        ([0.0, 5e-324], "large"),
        ([-1.0, -1.0], "zero"),
    ):
        found = classifier.predict_class(query, k=1)
        assert found.label == label
        assert sum(found.confidences.values()) == 1.0
        assert found.confidences["empty"] == 0.0


def test_clearing():
    classifier = KNNClassifier()
    for label in ("a", "b", "a", "c"):
        classifier.add_example(np.eye(3)["abc".index(label)], label)
    classifier.clear_class("a")
    assert classifier.get_class_example_count() == {"b": 1, "c": 1}
    found = classifier.predict_class([1.0, 0.0, 0.1], k=1)
    assert (found.label, found.class_index) == ("c", 2)
    classifier.add_example([1.0, 0.0, 0.0], "a")
    assert classifier.predict_class([1.0, 0.0, 0.0], k=1).class_index == 0
    with pytest.raises(ValueError, match="no class 'x'"):
        classifier.clear_class("x")
    classifier.clear_all_classes()
    assert classifier.get_num_classes() == 0
    classifier.add_example([1.0], "another size")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.add_example([1.0, 2.0], "a"), r"shape \(3,\), found \(2,\)"),
        (lambda c: c.add_example([[1.0] * 3] * 2, "a"), r"found \(2, 3\)"),
        (lambda c: c.add_example([1.0, np.nan, 1.0], "a"), "not finite"),
        (lambda c: c.add_example([1.0, np.inf, 1.0], "a"), "not finite"),
        (lambda c: c.add_example([1.0, 0.0, 0.0], 1.5), "a label is a str or an int"),
        (lambda c: c.predict_class([1.0, 0.0, 0.0], k=0), "k must be at least 1"),
        (lambda c: c.predict_class([1.0, 0.0, 0.0], k=2.5), "k must be a whole number, found 2.5"),
        (lambda c: c.predict_class([1.0, 0.0, 0.0], k=True), "k must be a whole number"),
        (lambda c: c.clear_class(True), "a label is a str or an int, found True"),
        (lambda c: c.clear_class(1.0), "a label is a str or an int"),
        (lambda c: c.clear_class("b"), "there is no class 'b'"),
        (lambda c: c.add_class(None), "a label is a str or an int"),
        (lambda c: c.add_example([[[1.0, 2.0]]], "a"), r"shape \(3,\), found \(1, 1, 2\)"),
        (lambda c: c.add_example(1.0, "a"), r"found \(\)"),
        (lambda c: c.add_example([], "a"), r"found \(0,\)"),
        (lambda c: c.add_example([1j, 0, 0], "a"), "real numbers, found complex"),
        (lambda c: c.add_example([10**400, 0, 0], "a"), "real numbers"),
        (lambda c: c.add_example([{}, 0, 0], "a"), "real numbers"),
        (lambda c: c.add_example(["x", "y", "z"], "a"), "could not convert"),
        (lambda c: c.add_example([None, 0.0, 1.0], "a"), "not finite"),
        (lambda c: c.set_classifier_dataset({"a": np.ones(3)}), "class 'a'"),
        (lambda c: KNNClassifier().predict_class([1.0]), "no examples"),
    ],
)
def test_arguments_that_make_no_sense(call, message):
    classifier = KNNClassifier()
    classifier.add_example([1.0, 0.0, 0.0], "a")
    with pytest.raises(ValueError, match=message):
        call(classifier)
    assert classifier.get_class_example_count() == {"a": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[np.newaxis],
        lambda x: x[:, np.newaxis],
        lambda x: x[np.newaxis, np.newaxis, np.newaxis],
        lambda x: x[:, np.newaxis, np.newaxis],
        lambda x: x.tolist(),
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.int8),
        lambda x: x.astype(">f8"),
        lambda x: x.astype(object),
        lambda x: np.repeat(x, 2)[::2],
        lambda x: x * 1e300,
        lambda x: x * 5e-324,
    ],
)
def test_the_same_embedding_in_other_clothes(change):
    embedding = np.array([3.0, -4.0, 12.0])
    plain, other = KNNClassifier(), KNNClassifier()
    plain.add_example(embedding, "a")
    other.add_example(change(embedding), "a")
    unit = other.get_classifier_dataset()["a"]
    np.testing.assert_array_equal(unit, plain.get_classifier_dataset()["a"])
    assert other.predict_class(change(embedding)) == plain.predict_class(embedding, k=10**30)


def test_labels_are_kept_apart_as_they_are():
    classifier = KNNClassifier()
    classifier.add_example([1.0], 1)
    with pytest.raises(ValueError, match="a label is a str or an int"):
        classifier.clear_class(True)  # equals 1
    assert classifier.get_class_example_count() == {1: 1}
    classifier.clear_class(np.int64(1))
    assert classifier.get_num_classes() == 0


def random_classifier(rng):
    classifier = KNNClassifier()
    for _ in range(40):
        classifier.add_example(rng.standard_normal(12), ["cat", 7, "7", "käse"][rng.integers(4)])
    classifier.clear_class("cat")
    classifier.add_class("empty")
    return classifier


def test_dataset_round_trip(rng):
    classifier, other = random_classifier(rng), KNNClassifier()
    other.set_classifier_dataset(classifier.get_classifier_dataset())
    assert other.get_class_example_count() == classifier.get_class_example_count()
    for query in rng.standard_normal((20, 12)):
        expected, found = classifier.predict_class(query), other.predict_class(query)
        assert (found.label, found.confidences) == (expected.label, expected.confidences)


def test_file_round_trip(tmp_path, rng):
    classifier = random_classifier(rng)
    classifier.save(tmp_path / "teach.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["teach.npz"]
    other = KNNClassifier.load(tmp_path / "teach.npz")
    for query in rng.standard_normal((20, 12)):
        assert other.predict_class(query) == classifier.predict_class(query)
    counts = other.get_class_example_count()
    assert list(counts.items()) == list(classifier.get_class_example_count().items())
    assert counts["empty"] == 0
    other.add_example(np.ones(12), "cat")
    other.add_example(np.ones(12), "more")
    found = other.predict_class(np.ones(12), k=2)
    assert found.label == "cat"
    assert found.class_index == classifier._ids["cat"]


def test_file_of_an_empty_classifier(tmp_path):
    KNNClassifier().save(tmp_path / "empty.npz")
    other = KNNClassifier.load(tmp_path / "empty.npz")
    assert other.get_num_classes() == 0
    other.add_example([1.0, 2.0], "a")


def fields(**changes):
    about = {"format": "npmobilenet.KNNClassifier/1", "labels": ["a"], "present": [True]}
    about.update(changes.pop("about", {}))
    text = changes.pop("text", json.dumps(about))
    arrays = {
        "about": np.frombuffer(text.encode(), np.uint8),
        "class_ids": np.zeros(2, "<i4"),
        "units": np.eye(2, dtype="<f4"),
    }
    return {name: array for name, array in {**arrays, **changes}.items() if array is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": None}, "0 members 'units.npy'"),
        ({"units": np.eye(2)}, "units: found <f8"),
        ({"units": np.ones(2, "<f4")}, "units: found <f4 of shape"),
        ({"units": np.eye(3, dtype="<f4")}, "class_ids has 2 values, units 3"),
        ({"units": np.full((2, 2), np.nan, "<f4")}, "neither 1 nor 0"),
        ({"units": np.full((2, 2), 7, "<f4")}, "neither 1 nor 0"),
        ({"class_ids": np.array([0, 1], "<i4")}, "class_ids reach from 0 to 1, expected 0 to 0"),
        ({"class_ids": np.array([0, -1], "<i4")}, "class_ids reach from -1"),
        ({"text": "[]"}, "about is a JSON list"),
        ({"text": "nonsense"}, "about is not JSON"),
        ({"about": {"format": "other"}}, "about: expected format"),
        ({"about": {"labels": [1.5]}}, "about: labels is not"),
        ({"about": {"labels": ["a", "a"]}}, "same label twice"),
        ({"about": {"present": [1]}}, "about: present is not"),
        ({"about": {"present": [False]}}, "a class that is not present"),
    ],
)
def test_files_with_a_wrong_field(tmp_path, changes, message):
    path = tmp_path / "wrong.npz"
    np.savez(path, **fields(**changes))
    with pytest.raises(ModelFileError, match=message) as caught:
        KNNClassifier.load(path)
    assert "wrong.npz" in str(caught.value)


def test_files_that_are_something_else(tmp_path):
    np.savez_compressed(tmp_path / "packed.npz", **fields())
    np.savez(tmp_path / "objects.npz", **fields(units=np.array([{}, {}])))
    (tmp_path / "empty.npz").touch()
    for name in ("packed.npz", "objects.npz", "empty.npz", "missing.npz"):
        with pytest.raises(ModelFileError, match=name):
            KNNClassifier.load(tmp_path / name)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_give_one_kind_of_error(tmp_path, data):
    path = tmp_path / "state.npz"
    np.savez(path, **fields())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(ModelFileError):  # nothing else, and a file that loads must work
        KNNClassifier.load(path).predict_class([1.0, 0.0])
