"""A softmax classifier on embeddings, trained with NumPy."""

from collections.abc import Callable
from typing import Self

import numpy as np
import numpy.typing as npt

from npmobilenet.counts import finite_number, whole_number
from npmobilenet.transfer.estimator import Classifier, check_features, check_labels, not_fitted
from npmobilenet.transfer.feature_range import features_in_range, name_largest
from npmobilenet.transfer.folder import stratified_split
from npmobilenet.transfer.optimizers import Step, adam, sgd

EpochReport = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its number, from 1, and its figures."""


class SoftmaxHead(Classifier):
    """Softmax regression by mini-batches: one dense layer, as Keras trains it, from zeros.

    It follows scikit-learn's interface, and scikit-learn need not be installed. Training is
    reproducible: the same data, arguments and seed give the same weights.

    Parameters
    ----------
    epochs : int
        At most.
    batch_size : int
    optimizer : {"adam", "sgd"}
    learning_rate : float
    momentum : float
        For ``"sgd"``.
    l2 : float
        Weight of the sum of the squares of the kernel in the loss, as Keras' ``L2``.
    label_smoothing : float
        Share of every target that is spread over all classes.
    dropout : float
        Share of the features left out at random in each step of training.
    validation_fraction : float
        Share of the samples of each class that is not trained on but watched, unless `fit` is
        given samples to watch.
    patience : int, optional
        Training stops after so many epochs without a smaller loss on the watched samples, and the
        best weights are taken; ``None``, or nothing to watch: all epochs are run.
    seed : int

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
        The labels, sorted.
    kernel_ : ndarray of shape (features, classes)
    bias_ : ndarray of shape (classes,)
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` of each epoch, and ``val_loss`` and ``val_accuracy`` of the
        samples that were watched.
    n_iter_ : int
        Epochs that were run.
    n_features_in_ : int
    """

    def __init__(
        self,
        *,
        epochs: int = 100,
        batch_size: int = 32,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        momentum: float = 0.9,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        dropout: float = 0.0,
        validation_fraction: float = 0.0,
        patience: int | None = 10,
        seed: int = 0,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.l2 = l2
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.seed = seed

    def fit(
        self,
        X: npt.ArrayLike,  # noqa: N803  -- scikit-learn's name
        y: npt.ArrayLike | None = None,
        *,
        validation: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        on_epoch: EpochReport | None = None,
    ) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array_like of shape (samples, features)
            float32 is computed in float32, all else in float64.
        y : array_like of shape (samples,)
            Labels: names or whole numbers.
        validation : tuple, optional
            Samples and labels to watch; ``validation_fraction`` is not used then.
        on_epoch : callable, optional
            Called after each epoch.

        Raises
        ------
        ValueError
            If an argument makes no sense, shapes do not fit, a watched label is not in ``y``, a
            feature is so large that its square is no number any more, or training diverges.
        """
        self._check_arguments()
        samples = features_in_range(check_features(X, self))
        labels = check_labels(y, len(samples), self)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        self.n_features_in_ = samples.shape[1]
        watched = None
        if validation is not None:
            watched = self._checked_validation(*validation)
        elif self.validation_fraction:
            kept, held_out = stratified_split(targets, self.validation_fraction, self.seed)
            watched = (samples[held_out], targets[held_out]) if len(held_out) else None
            samples, targets = samples[kept], targets[kept]
        self._train(samples, targets, watched, on_epoch)
        return self

    def decision_function(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803
        """Logits.

        Returns
        -------
        ndarray of shape (samples, classes)
            For two classes ``(samples,)``, the second less the first, as scikit-learn has it.
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803
        """Probabilities, in the order of ``classes_``.

        Returns
        -------
        ndarray of shape (samples, classes)
        """
        return softmax(self._logits(X))

    def predict(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803
        """The most probable label of each sample."""
        logits = self._logits(X)
        labels: np.ndarray = self.classes_[logits.argmax(axis=1)]
        return labels

    def _logits(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803
        if not hasattr(self, "kernel_"):
            raise not_fitted(self)
        samples = check_features(X, self, self.n_features_in_)
        with np.errstate(over="ignore", invalid="ignore"):
            logits: np.ndarray = samples @ self.kernel_ + self.bias_
        if not np.isfinite(logits).all():  # sums of float32 that are too large for it
            with np.errstate(over="ignore", invalid="ignore"):
                logits = samples.astype(np.float64) @ self.kernel_.astype(np.float64) + self.bias_
            if not np.isfinite(logits).all():
                raise ValueError(f"{name_largest(samples)}: its logits are beyond all numbers")
        return logits

    def _check_arguments(self) -> None:
        for name in ("epochs", "batch_size"):
            whole_number(getattr(self, name), name)
        if self.patience is not None:
            whole_number(self.patience, "patience")
        if self.optimizer not in ("adam", "sgd"):
            raise ValueError(f"optimizer must be 'adam' or 'sgd', found {self.optimizer!r}")
        for name in ("momentum", "label_smoothing", "dropout", "validation_fraction"):
            if not 0 <= finite_number(getattr(self, name), name) < 1:
                raise ValueError(f"{name} must be from 0 to below 1, found {getattr(self, name)!r}")
        rate, l2 = (finite_number(getattr(self, name), name) for name in ("learning_rate", "l2"))
        if not rate > 0 or not l2 >= 0:
            raise ValueError(
                "learning_rate must be above 0 and l2 not below, "
                f"found {self.learning_rate!r} and {self.l2!r}"
            )

    def _checked_validation(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[np.ndarray, np.ndarray]:
        samples = features_in_range(check_features(x, self, self.n_features_in_))
        labels = check_labels(y, len(samples), self)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(f"validation has labels that training has not: {unknown.tolist()}")
        return samples, np.searchsorted(self.classes_, labels)

    def _optimizer(self) -> Step:
        if self.optimizer == "adam":
            return adam(self.learning_rate)
        return sgd(self.learning_rate, self.momentum)

    def _train(
        self,
        samples: np.ndarray,
        targets: np.ndarray,
        watched: tuple[np.ndarray, np.ndarray] | None,
        on_epoch: EpochReport | None,
    ) -> None:
        rng = np.random.default_rng(self.seed)
        features, classes = samples.shape[1], len(self.classes_)
        # The loss is convex, so any start will do. Random values as in deep networks would stay for
        # ever in the directions that few samples leave open, and add noise to every logit.
        self.kernel_ = np.zeros((features, classes), samples.dtype)
        self.bias_ = np.zeros(classes, samples.dtype)
        self.history_: dict[str, list[float]] = {}
        step = self._optimizer()
        best, best_epoch = (self.kernel_.copy(), self.bias_.copy()), 0
        for epoch in range(1, self.epochs + 1):
            with np.errstate(over="ignore", invalid="ignore"):
                figures = self._epoch(samples, targets, rng, step)
                if watched is not None:
                    loss, accuracy = self._figures(*watched)
                    figures |= {"val_loss": loss, "val_accuracy": accuracy}
            self._check_finite(epoch, figures)
            for name, value in figures.items():
                self.history_.setdefault(name, []).append(value)
            self.n_iter_ = epoch
            if on_epoch is not None:
                on_epoch(epoch, figures)
            if watched is None or self.patience is None:
                continue
            if figures["val_loss"] <= min(self.history_["val_loss"]):
                best, best_epoch = (self.kernel_.copy(), self.bias_.copy()), epoch
            elif epoch - best_epoch >= self.patience:
                break
        if best_epoch:
            self.kernel_, self.bias_ = best

    def _check_finite(self, epoch: int, figures: dict[str, float]) -> None:
        """Stop before a classifier of infinite or undefined weights is made."""
        values = [*figures.values(), float(np.abs(self.kernel_).max()), *self.bias_.tolist()]
        if not np.isfinite(values).all():
            del self.kernel_, self.bias_
            raise ValueError(
                f"training has left the range of numbers in epoch {epoch}: scale the features, or "
                f"lower learning_rate (found {self.learning_rate!r}) or l2 (found {self.l2!r})"
            )

    def _epoch(
        self, samples: np.ndarray, targets: np.ndarray, rng: np.random.Generator, step: Step
    ) -> dict[str, float]:
        order = rng.permutation(len(samples))
        loss = correct = 0.0
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            batch, wanted = samples[chosen], targets[chosen]
            if self.dropout:
                kept = rng.random(batch.shape, np.float32) >= self.dropout
                batch = batch * kept / batch.dtype.type(1 - self.dropout)
            logits = batch @ self.kernel_ + self.bias_
            smooth = self._smooth(wanted, logits.dtype)
            loss += float(cross_entropy(logits, smooth).sum())
            correct += float((logits.argmax(axis=1) == wanted).sum())
            error = (softmax(logits) - smooth) / len(batch)
            kernel_gradient = batch.T @ error + (2 * self.l2) * self.kernel_
            step([self.kernel_, self.bias_], [kernel_gradient, error.sum(axis=0)])
        penalty = self.l2 * float((self.kernel_**2).sum())
        return {"loss": loss / len(order) + penalty, "accuracy": correct / len(order)}

    def _figures(self, samples: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        """Loss and accuracy without dropout."""
        logits = samples @ self.kernel_ + self.bias_
        loss = float(cross_entropy(logits, self._smooth(targets, logits.dtype)).mean())
        penalty = self.l2 * float((self.kernel_**2).sum())
        return loss + penalty, float((logits.argmax(axis=1) == targets).mean())

    def _smooth(self, targets: np.ndarray, dtype: np.dtype) -> np.ndarray:
        classes = len(self.classes_)
        smooth = np.full((len(targets), classes), self.label_smoothing / classes, dtype)
        smooth[np.arange(len(targets)), targets] += 1 - self.label_smoothing
        return smooth


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis; no logit is too large."""
    with np.errstate(over="ignore"):  # a difference of minus infinity is a probability of 0
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: np.ndarray = powers / powers.sum(axis=-1, keepdims=True)
    return result


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """``-sum targets log softmax(logits)`` of each sample, finite for any finite logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    result: np.ndarray = -(targets * logs).sum(axis=1)
    return result
