"""What an estimator needs so that scikit-learn takes it for one of its own.

scikit-learn asks for methods and attributes, not for a base class, so nothing here imports it
unless it is at work already.
"""

import inspect
import math
import sys
from numbers import Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt


class NotFittedError(ValueError, AttributeError):
    """An estimator was used before `fit`."""


class Estimator:
    """Parameters by name, as ``sklearn.base.BaseEstimator`` gives them.

    The arguments of a subclass are kept as attributes of the same names, unchanged and unchecked
    until `fit`.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name; there are no estimators inside, so ``deep`` changes nothing."""
        return {name: getattr(self, name) for name in _arguments(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change arguments.

        Raises
        ------
        ValueError
            If there is no such argument.
        """
        known = _arguments(type(self))
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}; "
                    f"there are {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({arguments})"


class Classifier(Estimator):
    """An estimator that predicts labels; a subclass has ``fit`` and `predict`.

    Attributes
    ----------
    classes_ : ndarray of shape (classes,)
        The labels, sorted.
    """

    classes_: np.ndarray

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may expect; only scikit-learn asks."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(),
        )

    def predict(self, X: npt.ArrayLike) -> np.ndarray:  # noqa: N803  -- scikit-learn's name
        """The label of each sample."""
        raise NotImplementedError

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:  # noqa: N803
        """Share of the samples whose label is predicted."""
        return float(np.mean(self.predict(X) == np.asarray(y)))


def not_fitted(estimator: object) -> ValueError:
    """The error for an estimator that was not fitted, of scikit-learn's class where that is in use.

    scikit-learn's own tools catch that class.
    """
    theirs = sys.modules.get("sklearn.exceptions")
    kind: type[ValueError] = NotFittedError if theirs is None else theirs.NotFittedError
    return kind(f"this {type(estimator).__name__} is not fitted yet: call fit first")


def check_features(x: npt.ArrayLike, owner: object, expected: int | None = None) -> np.ndarray:
    """Samples as a float array ``(samples, features)``: float32 stays, all else becomes float64.

    Raises
    ------
    ValueError
        If the shape is another, or a value is no finite real number.
    """
    name = type(owner).__name__
    if hasattr(x, "toarray"):
        raise TypeError(f"{name} takes dense arrays, found a sparse matrix: call toarray")
    array = np.asarray(x)
    if np.iscomplexobj(array):
        raise ValueError("Complex data not supported: expected real numbers")
    if array.ndim != 2:
        raise ValueError(
            f"expected a 2D array (samples, features), found shape {array.shape}. "
            "Reshape your data: one sample is x.reshape(1, -1)"
        )
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.shape[0] == 0:
        raise ValueError(f"found 0 sample(s) (shape={array.shape}), a minimum of 1 is required")
    if array.shape[1] == 0:
        raise ValueError(
            f"found 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    if not np.isfinite(array).all():
        sample, feature = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            "x has values that are NaN or infinity: "
            f"feature {feature} of sample {sample} is {array[sample, feature]}"
        )
    if expected is not None and array.shape[1] != expected:
        raise ValueError(
            f"X has {array.shape[1]} features, but {name} is expecting {expected} features as input"
        )
    return array


def check_labels(y: npt.ArrayLike | None, samples: int, owner: object) -> np.ndarray:
    """Class labels as an array ``(samples,)``.

    Raises
    ------
    ValueError
        If there are none, the number is another, or a label is missing (NaN, None), or of
        another kind than the others, or no name and no whole number.
    """
    if y is None:
        raise ValueError(
            f"{type(owner).__name__} requires y to be passed, but the target y is None"
        )
    labels = np.asarray(y)
    if labels.shape != (samples,):
        raise ValueError(f"expected one label for each of {samples} samples, found {labels.shape}")
    if labels.dtype == object:
        _check_objects(labels)
    elif np.issubdtype(labels.dtype, np.complexfloating):
        raise ValueError("Unknown label type: complex; expected names or whole numbers")
    elif np.issubdtype(labels.dtype, np.floating):
        if not np.isfinite(labels).all():
            raise ValueError("y has values that are NaN or infinity")
        if not np.array_equal(labels, np.rint(labels)):
            raise ValueError("Unknown label type: continuous; expected names or whole numbers")
    return labels


def _check_objects(labels: np.ndarray) -> None:
    """Labels as pandas and lists of mixed values give them: they must be of one kind to sort."""
    kinds = set()
    for position, label in enumerate(labels):
        if _is_missing(label):
            raise ValueError(f"y has no label at position {position}: found {label!r}")
        if isinstance(label, str):
            kinds.add("names")
        elif isinstance(label, Real) and math.isfinite(label) and label == math.floor(label):
            kinds.add("numbers")
        else:
            raise ValueError(
                f"Unknown label type: {type(label).__name__} at position {position}; "
                "expected names or whole numbers"
            )
    if len(kinds) > 1:
        raise ValueError("y has names and numbers as labels, expected labels of one kind")


def _is_missing(label: Any) -> bool:
    """Whether this is ``None``, NaN, NaT or pandas' NA, which has no truth value."""
    try:
        return label is None or bool(label != label)
    except TypeError:
        return True


def _arguments(kind: type) -> list[str]:
    return [name for name in inspect.signature(kind).parameters if name != "self"]
