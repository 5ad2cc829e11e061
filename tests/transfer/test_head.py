"""The softmax head: scikit-learn's interface, Keras' results, and what its arguments do."""

import pickle

import numpy as np
import pytest

from npmobilenet.transfer.estimator import NotFittedError
from npmobilenet.transfer.head import SoftmaxHead, cross_entropy, softmax
from npmobilenet.transfer.optimizers import adam, sgd


@pytest.fixture
def blobs(rng):
    """Three overlapping classes with names, float32."""
    centres = rng.standard_normal((3, 20)).astype(np.float32)
    classes = rng.integers(0, 3, 300)
    samples = centres[classes] + rng.standard_normal((300, 20)).astype(np.float32)
    return samples, np.array(["cat", "dog", "owl"])[classes]


def test_scikit_learn_tools(blobs):
    selection = pytest.importorskip("sklearn.model_selection")
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    estimator = pipeline.make_pipeline(
        preprocessing.StandardScaler(), SoftmaxHead(epochs=20, learning_rate=0.01)
    )
    search = selection.GridSearchCV(estimator, {"softmaxhead__l2": [1e-3, 0.1]}, cv=3)
    search.fit(*blobs)
    assert search.best_score_ > 0.9
    assert selection.cross_val_score(estimator, *blobs, cv=3).min() > 0.85


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"optimizer": "adam", "learning_rate": 0.01}, lambda k: k.optimizers.Adam(0.01)),
        (
            {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9},
            lambda k: k.optimizers.SGD(0.05, momentum=0.9),
        ),
        (
            {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.0},
            lambda k: k.optimizers.SGD(0.05),
        ),
    ],
    ids=["adam", "momentum", "sgd"],
)
def test_training_equals_keras_step_by_step(rng, blobs, ours, theirs):
    keras = pytest.importorskip("keras")
    samples, labels = blobs
    targets = np.unique(labels, return_inverse=True)[1]
    # One batch an epoch, so that the order of samples is no matter.
    head = SoftmaxHead(epochs=15, batch_size=300, l2=0.01, label_smoothing=0.1, seed=4, **ours).fit(
        samples, labels
    )
    dense = keras.layers.Dense(
        3, "softmax", kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(0.01)
    )
    model = keras.Sequential([keras.Input((20,)), dense])
    model.compile(theirs(keras), keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
    model.fit(samples, np.eye(3)[targets], epochs=15, batch_size=300, shuffle=False, verbose=0)
    np.testing.assert_allclose(head.kernel_, dense.get_weights()[0], atol=2e-5)
    np.testing.assert_allclose(head.bias_, dense.get_weights()[1], atol=2e-5)


def test_gradients_are_those_of_the_loss(rng):
    """One step of plain descent, after some that lead away from zeros."""
    samples, targets = rng.standard_normal((6, 4)), np.array([0, 1, 2, 0, 1, 2])
    arguments = {"l2": 0.1, "label_smoothing": 0.2, "optimizer": "sgd", "momentum": 0.0}
    arguments |= {"batch_size": 6, "learning_rate": 0.5}
    before = SoftmaxHead(epochs=4, **arguments).fit(samples, targets)
    after = SoftmaxHead(epochs=5, **arguments).fit(samples, targets)
    smooth = np.eye(3)[targets] * 0.8 + 0.2 / 3

    def loss(kernel):
        logits = samples @ kernel + before.bias_
        return cross_entropy(logits, smooth).mean() + 0.1 * (kernel**2).sum()

    numeric = np.empty((4, 3))
    for place in np.ndindex(4, 3):
        step = np.zeros((4, 3))
        step[place] = 1e-6
        numeric[place] = (loss(before.kernel_ + step) - loss(before.kernel_ - step)) / 2e-6
    np.testing.assert_allclose(2 * (before.kernel_ - after.kernel_), numeric, atol=1e-8)


def test_training_again_gives_the_same(blobs):
    first = SoftmaxHead(epochs=5, dropout=0.3, seed=1).fit(*blobs)
    second = SoftmaxHead(epochs=5, dropout=0.3, seed=1).fit(*blobs)
    other = SoftmaxHead(epochs=5, dropout=0.3, seed=2).fit(*blobs)
    np.testing.assert_array_equal(first.kernel_, second.kernel_)
    assert not np.array_equal(first.kernel_, other.kernel_)
    assert first.kernel_.dtype == np.float32
    restored = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(restored.predict(blobs[0]), first.predict(blobs[0]))


def test_early_stopping_keeps_the_best_weights(rng):
    samples = rng.standard_normal((40, 50))
    labels = rng.integers(0, 2, 40)  # nothing to learn: the watched loss soon rises
    validation = rng.standard_normal((200, 50)), rng.integers(0, 2, 200)
    seen = []
    head = SoftmaxHead(epochs=500, patience=5, learning_rate=0.01)
    head.fit(samples, labels, validation=validation, on_epoch=lambda n, f: seen.append((n, f)))
    losses = head.history_["val_loss"]
    assert head.n_iter_ == len(losses) == int(np.argmin(losses)) + 1 + 5 < 500
    logits = validation[0] @ head.kernel_ + head.bias_
    best = cross_entropy(logits, np.eye(2)[validation[1]]).mean()
    np.testing.assert_allclose(best, min(losses))
    assert [number for number, _ in seen] == list(range(1, head.n_iter_ + 1))
    assert seen[3][1]["val_loss"] == losses[3]


def test_a_fraction_can_be_held_out(blobs):
    head = SoftmaxHead(epochs=300, learning_rate=0.03, validation_fraction=0.25, patience=3).fit(
        *blobs
    )
    assert head.n_iter_ < 300
    assert set(head.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert head.score(*blobs) > 0.9


def test_probabilities(blobs):
    head = SoftmaxHead(epochs=3).fit(*blobs)
    probabilities = head.predict_proba(blobs[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(
        head.classes_[probabilities.argmax(axis=1)], head.predict(blobs[0])
    )
    np.testing.assert_array_equal(softmax(np.array([[1e5, 0.0]])), [[1.0, 0.0]])
    assert cross_entropy(np.array([[1e5, 0.0]]), np.array([[0.0, 1.0]]))[0] == 1e5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size"),
        ({"optimizer": "rmsprop"}, "optimizer must be"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"l2": -1.0}, "l2 not below"),
        ({"patience": 0}, "patience"),
        ({"epochs": 2.5}, "epochs must be a whole number, found 2.5"),
        ({"batch_size": 32.0}, "batch_size must be a whole number"),
        ({"batch_size": True}, "batch_size must be a whole number"),
        ({"patience": 1.5}, "patience must be a whole number"),
        ({"learning_rate": np.inf}, "learning_rate must be a finite number, found inf"),
        ({"learning_rate": np.nan}, "learning_rate must be a finite number"),
        ({"learning_rate": "fast"}, "learning_rate must be a finite number"),
        ({"l2": np.inf}, "l2 must be a finite number"),
        ({"momentum": np.nan}, "momentum must be a finite number"),
        ({"dropout": None}, "dropout must be a finite number"),
        ({"validation_fraction": np.nan}, "validation_fraction must be a finite number"),
    ],
)
def test_arguments_that_make_no_sense(blobs, arguments, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxHead(**arguments).fit(*blobs)


def test_watched_labels_must_be_known(blobs):
    with pytest.raises(ValueError, match="labels that training has not: \\['bat'\\]"):
        SoftmaxHead().fit(*blobs, validation=(blobs[0][:1], ["bat"]))


def test_parameters_by_name():
    head = SoftmaxHead(l2=0.5)
    assert head.get_params()["l2"] == 0.5
    assert head.set_params(l2=0.1, seed=3) is head
    assert (head.l2, head.seed) == (0.1, 3)
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        head.set_params(depth=1)
    with pytest.raises((NotFittedError, ValueError), match="call fit first"):
        head.predict(np.ones((1, 2)))


def test_adam_takes_steps_of_the_learning_rate_at_first():
    parameter = np.zeros(3)
    adam(0.1)([parameter], [np.array([1e-3, -5.0, 1e3])])
    np.testing.assert_allclose(parameter, [-0.1, 0.1, -0.1], rtol=1e-2)


def test_momentum_adds_up():
    parameter = np.zeros(1)
    step = sgd(0.1, momentum=0.5)
    for _ in range(2):
        step([parameter], [np.ones(1)])
    np.testing.assert_allclose(parameter, [-0.1 - 0.15])
