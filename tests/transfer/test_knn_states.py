"""The KNN classifier after any sequence of calls, beside lists of vectors and a naive search."""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from npmobilenet.transfer.knn import KNNClassifier

SIZE = 3
LABELS = st.sampled_from(["a", "b", 0, 1, "käse"])
# Whole numbers make ties and zeros likely; the others are as extreme as floats are.
VALUES = st.integers(-2, 2).map(float) | st.floats(allow_nan=False, allow_infinity=False)
VECTORS = st.lists(VALUES, min_size=SIZE, max_size=SIZE)


def naive_unit(vector):
    largest = max(map(abs, vector))
    if largest == 0:
        return [0.0] * SIZE
    scaled = [value / largest for value in vector]
    length = math.sqrt(math.fsum(value * value for value in scaled))
    return [value / length for value in scaled]


class Calls(RuleBasedStateMachine):
    """Every method in any order."""

    vectors = Bundle("vectors")

    @initialize()
    def start(self):
        self.classifier = KNNClassifier()
        self.examples = {}  # of each class, as unit vectors of float32
        self.ids = {}

    @rule(target=vectors, vector=VECTORS)
    def draw(self, vector):
        return vector

    @rule(vector=vectors, label=LABELS)
    def add_example(self, vector, label):
        self.classifier.add_example(vector, label)
        self.add_class_here(label)
        self.examples[label].append(np.float32(naive_unit(vector)))

    @rule(label=LABELS)
    def add_class(self, label):
        self.classifier.add_class(label)
        self.add_class_here(label)

    def add_class_here(self, label):
        self.examples.setdefault(label, [])
        self.ids.setdefault(label, len(self.ids))

    @rule(label=LABELS)
    def clear_class(self, label):
        if label in self.examples:
            self.classifier.clear_class(label)
            del self.examples[label]
        else:
            with pytest.raises(ValueError, match="no class"):
                self.classifier.clear_class(label)

    @rule()
    def clear_all_classes(self):
        self.classifier.clear_all_classes()
        self.examples, self.ids = {}, {}

    @rule()
    def save_and_load(self):
        with tempfile.TemporaryDirectory() as folder:
            self.classifier.save(Path(folder) / "state.npz")
            self.classifier = KNNClassifier.load(Path(folder) / "state.npz")

    @rule()
    def get_and_set_the_dataset(self):
        dataset = self.classifier.get_classifier_dataset()
        assert {label: len(rows) for label, rows in dataset.items()} == {
            label: len(rows) for label, rows in self.examples.items()
        }
        self.classifier = KNNClassifier()
        self.classifier.set_classifier_dataset(dataset)
        self.ids = {label: index for index, label in enumerate(dataset)}

    @rule(vector=vectors, k=st.integers(1, 8))
    def predict_class(self, vector, k):
        if not any(self.examples.values()):
            with pytest.raises(ValueError, match="no examples"):
                self.classifier.predict_class(vector, k)
            return
        found = self.classifier.predict_class(vector, k)
        assert set(found.confidences) == set(self.examples)
        assert all(0 <= share <= 1 for share in found.confidences.values())
        assert math.isclose(sum(found.confidences.values()), 1)
        assert found.class_index == self.ids[found.label]
        assert found.confidences[found.label] == max(found.confidences.values())
        assert self.examples[found.label]
        self.check_neighbours(vector, k, found)

    def check_neighbours(self, vector, k, found):
        """The votes are those of the k nearest, but for what rounding may order either way."""
        query = naive_unit(vector)
        similarities = sorted(
            (
                (math.fsum(a * b for a, b in zip(map(float, row), query, strict=True)), label)
                for label, rows in self.examples.items()
                for row in rows
            ),
            key=lambda pair: -pair[0],
        )
        k = min(k, len(similarities))
        last = similarities[k - 1][0]
        for label, share in found.confidences.items():
            surely = sum(value > last + 1e-6 for value, name in similarities if name == label)
            maybe = sum(value >= last - 1e-6 for value, name in similarities if name == label)
            assert surely <= round(share * k) <= maybe

    @invariant()
    def counts(self):
        expected = {label: len(rows) for label, rows in self.examples.items()}
        assert self.classifier.get_class_example_count() == expected
        assert self.classifier.get_num_classes() == len(expected)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
