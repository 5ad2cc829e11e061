"""k nearest neighbours behind scikit-learn's interface."""

from typing import Self

import numpy as np
import numpy.typing as npt

from npmobilenet.counts import whole_number
from npmobilenet.transfer.estimator import Classifier, check_features, check_labels, not_fitted
from npmobilenet.transfer.knn import DEFAULT_K, KNNClassifier


class KNNHead(Classifier):
    """A :class:`KNNClassifier` that is fitted and asked as scikit-learn's estimators are.

    It may take the place of :class:`npmobilenet.transfer.head.SoftmaxHead` in a pipeline. Of
    classes with equally many neighbours the first in ``classes_`` is predicted, because
    scikit-learn wants predictions to be those of the largest `predict_proba`.

    Parameters
    ----------
    k : int
        Neighbours that vote.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
        The labels, sorted.
    classifier_ : KNNClassifier
        Its labels are positions in ``classes_``.
    n_features_in_ : int
    """

    def __init__(self, *, k: int = DEFAULT_K) -> None:
        self.k = k

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike | None = None) -> Self:  # noqa: N803
        """Keep the samples.

        Parameters
        ----------
        X : array_like of shape (samples, features)
        y : array_like of shape (samples,)
            Labels: names or whole numbers.

        Raises
        ------
        ValueError
            If ``k`` is no whole number of at least 1, shapes do not fit, or a value is not finite.
        """
        whole_number(self.k, "k")
        samples = check_features(X, self)
        labels = check_labels(y, len(samples), self)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        self.n_features_in_ = samples.shape[1]
        self.classifier_ = KNNClassifier()
        self.classifier_.set_classifier_dataset(
            {index: samples[targets == index] for index in range(len(self.classes_))}
        )
        return self

    def predict_proba(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803
        """The share of the neighbours that belong to each class, in the order of ``classes_``.

        Returns
        -------
        ndarray of shape (samples, classes)
        """
        if not hasattr(self, "classifier_"):
            raise not_fitted(self)
        samples = check_features(X, self, self.n_features_in_)
        found = [self.classifier_.predict_class(sample, self.k) for sample in samples]
        return np.array([list(prediction.confidences.values()) for prediction in found])

    def predict(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803
        """The label that most neighbours of each sample have."""
        shares = self.predict_proba(X)
        labels: np.ndarray = self.classes_[shares.argmax(axis=1)]
        return labels
