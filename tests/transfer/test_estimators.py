"""scikit-learn's own checks of estimators, and the k nearest neighbours behind its interface."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.model import Model
from npmobilenet.transfer.embedder import Embedder
from npmobilenet.transfer.head import SoftmaxHead
from npmobilenet.transfer.knn import KNNClassifier
from npmobilenet.transfer.knn_head import KNNHead

checks = pytest.importorskip("sklearn.utils.estimator_checks")

REFUSED = {"check_supervised_y_2d": "labels in a column are refused, not flattened"}


@pytest.fixture
def embedder(lively_weights):
    network = mobilenet_v1((32, 32, 3), 0.25, classes=7)
    return Embedder(Model(network, lively_weights(network)))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "head",
    # The checks have two features where embeddings have a thousand: steps must be larger.
    [SoftmaxHead(learning_rate=0.01), KNNHead(), KNNHead(k=1)],
    ids=["softmax", "three neighbours", "one neighbour"],
)
def test_scikit_learn_accepts_the_heads(head):
    found = checks.check_estimator(head, on_skip=None, expected_failed_checks=REFUSED)
    assert sum(check["status"] == "passed" for check in found) > 50


@pytest.mark.parametrize(
    "name",
    # ``check_estimator`` runs nothing for estimators of pictures; these need no arrays of numbers.
    [
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_no_attributes_set_in_init",
        "check_set_params",
        "check_valid_tag_types",
    ],
)
def test_scikit_learn_accepts_the_embedder(embedder, name):
    getattr(checks, name)("Embedder", embedder)


def test_neighbours_vote_as_those_of_the_classifier(rng):
    samples = rng.standard_normal((60, 8))
    labels = np.array(["cat", "dog", "owl"])[rng.integers(0, 3, 60)]
    head = KNNHead(k=5).fit(samples, labels)
    classifier = KNNClassifier()
    for sample, label in zip(samples, labels, strict=True):
        classifier.add_example(sample, str(label))
    queries = rng.standard_normal((30, 8))
    for shares, predicted, query in zip(
        head.predict_proba(queries), head.predict(queries), queries, strict=True
    ):
        found = classifier.predict_class(query, k=5)
        assert dict(zip(head.classes_.tolist(), shares, strict=True)) == found.confidences
        assert found.confidences[str(predicted)] == max(found.confidences.values())
    assert KNNHead(k=1).fit(samples, labels).score(samples, labels) == 1.0
    for k in (0, -1):
        with pytest.raises(ValueError, match="k must be at least 1"):
            KNNHead(k=k).fit(samples, labels)


def test_classifiers_can_be_copied_and_pickled(rng):
    classifier = KNNClassifier()
    for number in range(20):
        classifier.add_example(rng.standard_normal(4), number % 3)
    query = rng.standard_normal(4)
    expected = classifier.predict_class(query)
    for other in (copy.deepcopy(classifier), pickle.loads(pickle.dumps(classifier))):
        assert other.predict_class(query) == expected
        other.clear_all_classes()
        other.add_example([1.0], "other")
    assert classifier.predict_class(query) == expected
    assert_array_equal(sorted(classifier.get_class_example_count()), [0, 1, 2])
