"""`top_predictions`: order, threshold, allow and deny lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.errors import LabelsError
from npmobilenet.labels import Labels, Prediction, decode_predictions, imagenet_labels
from npmobilenet.labels import top_predictions as top

LABELS = Labels(("cat", "dog", "crane", "crane"), ("n1", "n2", "n3", "n4"))
SCORES = np.array([0.1, 0.4, 0.2, 0.3], np.float32)


def names(**options: object) -> list[str | None]:
    return [prediction.wnid for prediction in top(SCORES, LABELS, **options)]


def test_fields():
    found = top(SCORES, LABELS, 1)
    assert found == [Prediction(1, "n2", "dog", pytest.approx(0.4))]
    assert type(found[0].probability) is float
    assert type(found[0].index) is int
    assert top([1.0], Labels(("only",)))[0].wnid is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["n2", "n4", "n3", "n1"]),
        ({"top": 2}, ["n2", "n4"]),
        ({"top": None}, ["n2", "n4", "n3", "n1"]),
        ({"threshold": 0.25}, ["n2", "n4"]),
        ({"threshold": 0.9}, []),
        ({"allow": ["crane"]}, ["n4", "n3"]),
        ({"allow": ["n3", "cat"]}, ["n3", "n1"]),
        ({"allow": []}, []),
        ({"deny": ["dog", "n4"]}, ["n3", "n1"]),
        ({"deny": []}, ["n2", "n4", "n3", "n1"]),
        ({"allow": ["crane", "dog"], "deny": ["n4"], "top": 1}, ["n2"]),
    ],
)
def test_choice(options, expected):
    assert names(**options) == expected


def test_the_threshold_itself_is_reported():
    assert len(top(np.array([0.5, 0.25]), Labels(("a", "b")), threshold=0.25)) == 2


@pytest.mark.parametrize("option", ["allow", "deny"])
def test_unknown_names_are_named(option):
    with pytest.raises(LabelsError, match=r"'dgo', 'n9'.*near: dog"):
        names(**{option: ["dgo", "cat", "n9"]})


def test_refuses():
    with pytest.raises(LabelsError, match=r"4 labels.*3 classes"):
        top([0.1, 0.2, 0.7], LABELS)
    with pytest.raises(ValueError, match="one sample"):
        top([SCORES], LABELS)
    with pytest.raises(ValueError, match="top"):
        top(SCORES, LABELS, top=0)
    with pytest.raises(LabelsError, match="1 ids for 2 names"):
        Labels(("a", "b"), ("n1",))


@given(st.lists(st.tuples(st.integers(0, 999), st.floats(0, 1, width=32)), max_size=20))
def test_the_order_is_that_of_decode_predictions(high):
    scores = np.zeros(1000)
    for index, score in high:
        scores[index] = score
    found = top(scores, imagenet_labels())
    decoded = decode_predictions(scores[np.newaxis])[0]
    assert [(row.wnid, row.label, row.probability) for row in found] == decoded
    assert [(-row.probability, row.index) for row in found] == sorted(
        (-row.probability, row.index) for row in found
    )
