"""A classifier that learns by keeping examples, after TensorFlow.js' ``knn-classifier``."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from npmobilenet.counts import whole_number
from npmobilenet.transfer import knn_file
from npmobilenet.transfer.knn_codes import Codes, encode
from npmobilenet.transfer.knn_file import File, KNNState, Label
from npmobilenet.transfer.knn_search import nearest

DEFAULT_K = 3

# From this many values on, the compiled search is faster even if it must be loaded first; above
# this many neighbours it is not.
_LARGE = 8_000_000
_MOST_NEIGHBOURS = 256

# So many new examples are compared exactly before all codes are copied to make room for theirs.
_MOST_UNCODED = 2048


@dataclass(frozen=True)
class KNNPrediction:
    """What the neighbours of a query say.

    Parameters
    ----------
    label : str or int
        Of the class with most neighbours.
    class_index : int
        Number of that class: classes are counted in the order in which they appeared.
    confidences : dict
        For every class, the share of the neighbours that belong to it; 0 for an empty class.
    """

    label: Label
    class_index: int
    confidences: dict[Label, float] = field(hash=False)


class KNNClassifier:
    """k nearest neighbours by cosine similarity, for embeddings.

    Vectors are scaled to length 1 when added, and the cosine is their dot product. What is not
    obvious is defined thus:

    - Of equally similar examples, those of the class that appeared first come first, then those
      added first.
    - If classes have equally many of the k neighbours, the one with the most similar neighbour
      wins. (TensorFlow.js takes the class that appeared first, however far its examples are.)
    - A vector of zeros has no direction: its similarity with everything is 0.
    - ``k`` is at most the number of examples, as in TensorFlow.js.
    - Classes without examples are kept, counted and saved; they are never predicted.
    - `clear_class` removes a class. If its label comes back it has its old ``class_index``.

    An instance may be used by several threads at once.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ids: dict[Label, int] = {}  # of every label ever seen
        self._counts: dict[Label, int] = {}  # of the classes there are
        self._units = np.empty((0, 0), np.float32)  # with room for more at the end
        self._class_ids = np.empty(0, np.int32)
        self._examples = 0
        self._codes: Codes | None = None  # of some leading examples

    def __repr__(self) -> str:
        return f"KNNClassifier(classes={self.get_num_classes()}, examples={self._examples})"

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.RLock()

    # Examples ------------------------------------------------------------------------------

    def add_example(self, embedding: npt.ArrayLike, label: Label) -> None:
        """Keep one more example of a class, which is made if it is new.

        Parameters
        ----------
        embedding : array_like of shape (size,), (1, size) or (size, 1)
            Or with more axes of length 1. All examples of a classifier have one size.
        label : str or int

        Raises
        ------
        ValueError
            If the shape does not fit the examples so far, or a value is not finite.
        """
        label = _checked_label(label)
        with self._lock:
            unit = self._unit(embedding)
            if self._examples == len(self._units):
                self._grow(len(unit))
            self._units[self._examples] = unit
            self._class_ids[self._examples] = self._add_class(label)
            self._examples += 1
            self._counts[label] += 1

    def add_class(self, label: Label) -> None:
        """Make a class without examples; nothing happens if there is one of this label."""
        with self._lock:
            self._add_class(_checked_label(label))

    def clear_class(self, label: Label) -> None:
        """Remove a class and its examples.

        Raises
        ------
        ValueError
            If there is no such class.
        """
        label = _checked_label(label)
        with self._lock:
            if label not in self._counts:
                raise ValueError(f"there is no class {label!r}; found {list(self._counts)}")
            # New arrays, because a search in another thread may still read the old ones.
            kept = self._class_ids[: self._examples] != self._ids[label]
            self._units = self._units[: self._examples][kept]
            self._class_ids = self._class_ids[: self._examples][kept]
            self._examples = len(self._units)
            self._codes = None
            del self._counts[label]

    def clear_all_classes(self) -> None:
        """Forget everything, the size of embeddings and the class indices included."""
        self._take_over(KNNClassifier())

    def get_class_example_count(self) -> dict[Label, int]:
        """How many examples each class has."""
        with self._lock:
            return dict(self._counts)

    def get_num_classes(self) -> int:
        """How many classes there are, empty ones included."""
        return len(self._counts)

    # Prediction ----------------------------------------------------------------------------

    def predict_class(self, embedding: npt.ArrayLike, k: int = DEFAULT_K) -> KNNPrediction:
        """The class that most of the ``k`` most similar examples belong to.

        Parameters
        ----------
        embedding : array_like of shape (size,), (1, size) or (size, 1)
        k : int

        Raises
        ------
        ValueError
            If there are no examples, ``k`` is no whole number of at least 1, or the embedding does
            not fit.
        """
        k = whole_number(k, "k")
        with self._lock:
            if self._examples == 0:
                raise ValueError("there are no examples to compare with: call add_example first")
            query = self._unit(embedding)
            units = self._units[: self._examples]
            class_ids = self._class_ids[: self._examples]
            counts = dict(self._counts)
            labels = {index: label for label, index in self._ids.items()}
            k = min(k, self._examples)
            large = units.size >= _LARGE and k <= _MOST_NEIGHBOURS
            codes = self._current_codes(units) if large else None
        if codes is not None:
            from npmobilenet.transfer.knn_kernel import nearest_coded

            rows, _ = nearest_coded(units, class_ids, codes, query, k)
        else:
            rows, _ = nearest(units, class_ids, query, k)
        votes: dict[int, int] = {}  # in order of similarity, which decides between equals
        for index in class_ids[rows].tolist():
            votes[index] = votes.get(index, 0) + 1
        best = max(votes, key=votes.__getitem__)
        shares = {label: votes.get(self._ids[label], 0) / k for label in counts}
        return KNNPrediction(labels[best], best, shares)

    # Whole state ---------------------------------------------------------------------------

    def get_classifier_dataset(self) -> dict[Label, np.ndarray]:
        """The examples of each class as unit vectors, float32 ``(examples, size)``; copies."""
        with self._lock:
            units = self._units[: self._examples]
            class_ids = self._class_ids[: self._examples]
            return {label: units[class_ids == self._ids[label]] for label in self._counts}

    def set_classifier_dataset(self, dataset: Mapping[Label, npt.ArrayLike]) -> None:
        """Replace everything by these classes, in this order.

        Parameters
        ----------
        dataset : mapping of label to array_like of shape (examples, size)
            Vectors of any length; an array without rows gives an empty class.

        Raises
        ------
        ValueError
            If sizes differ or a value is not finite; the classifier stays as it was.
        """
        new = KNNClassifier()
        for label, examples in dataset.items():
            new.add_class(label)
            rows = np.asarray(examples)
            if rows.ndim != 2:
                raise ValueError(
                    f"class {label!r}: expected examples of shape (examples, size), "
                    f"found {rows.shape}"
                )
            for row in rows:
                new.add_example(row, label)
        self._take_over(new)

    def save(self, file: File) -> None:
        """Write everything to an ``.npz`` file, whole or not at all.

        Parameters
        ----------
        file : path or binary file

        Raises
        ------
        ValueError
            If the labels take more than 8 MiB.
        OSError
            If the file cannot be written.
        """
        with self._lock:
            labels = tuple(self._ids)
            state = KNNState(
                labels=labels,
                present=tuple(label in self._counts for label in labels),
                class_ids=self._class_ids[: self._examples],
                units=self._units[: self._examples],
            )
        knn_file.write_state(file, state)

    @classmethod
    def load(cls, file: File) -> "KNNClassifier":
        """A classifier from a file that `save` wrote.

        Parameters
        ----------
        file : path or binary file

        Raises
        ------
        ModelFileError
            If the file is damaged or no such file; the message names the field.
        """
        state = knn_file.read_state(file)
        classifier = cls()
        classifier._ids = {label: index for index, label in enumerate(state.labels)}
        counts = np.bincount(state.class_ids, minlength=len(state.labels)).tolist()
        classifier._counts = {
            label: count
            for label, count, present in zip(state.labels, counts, state.present, strict=True)
            if present
        }
        classifier._units = state.units
        classifier._class_ids = state.class_ids
        classifier._examples = len(state.units)
        return classifier

    # Inside --------------------------------------------------------------------------------

    def _take_over(self, other: "KNNClassifier") -> None:
        with self._lock:
            self._ids, self._counts = other._ids, other._counts
            self._units, self._class_ids = other._units, other._class_ids
            self._examples, self._codes = other._examples, None

    def _add_class(self, label: Label) -> int:
        self._counts.setdefault(label, 0)
        return self._ids.setdefault(label, len(self._ids))

    def _unit(self, embedding: npt.ArrayLike) -> np.ndarray:
        vector = _vector(embedding)
        size = self._units.shape[1] or None
        if vector.size == 0 or size not in (None, len(vector)):
            raise ValueError(
                f"expected one embedding of shape ({size or 'size'},), found {np.shape(embedding)}"
            )
        largest = np.abs(vector).max()
        if not np.isfinite(largest):
            raise ValueError("the embedding has values that are not finite")
        if largest == 0:
            return vector
        vector = vector / largest  # so that squares neither overflow nor vanish
        unit: np.ndarray = vector / np.linalg.norm(vector)
        return unit

    def _grow(self, size: int) -> None:
        """Room for half as many again, so that adding n examples copies O(n) of them."""
        room = max(16, self._examples + self._examples // 2)
        units = np.empty((room, size), np.float32)
        class_ids = np.empty(room, np.int32)
        if self._examples:  # before, there is no size
            units[: self._examples] = self._units[: self._examples]
            class_ids[: self._examples] = self._class_ids[: self._examples]
        self._units, self._class_ids = units, class_ids

    def _current_codes(self, units: np.ndarray) -> Codes:
        if self._codes is None or len(self._codes) + _MOST_UNCODED < len(units):
            self._codes = encode(units, self._codes)
        return self._codes


def _vector(embedding: npt.ArrayLike) -> np.ndarray:
    """One embedding as float64 ``(size,)``; empty if there is not one."""
    array = np.asarray(embedding)
    if np.iscomplexobj(array):
        raise ValueError("an embedding has real numbers, found complex ones")
    try:
        array = array.astype(np.float64)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"an embedding has real numbers ({error})") from error
    # Row or column, or what pooling leaves: (1, 1, 1, size).
    one = array.ndim > 0 and max(array.shape) == array.size
    return array.reshape(-1) if one else np.empty(0)


def _checked_label(label: Any) -> Label:
    if isinstance(label, np.integer):
        return int(label)
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise ValueError(f"a label is a str or an int, found {label!r}")
    return label
