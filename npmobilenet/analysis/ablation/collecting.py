"""Agreement and errors, collected from one batch after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npmobilenet.labels.predictions import ranked

_TOP = 5


@dataclass(frozen=True)
class LayerDrift:
    """How far a layer's outputs are from the baseline's.

    Parameters
    ----------
    name : str
        As in the baseline.
    rms_relative : float
        Root of the mean square of the difference over that of the baseline.
    max_relative : float
        Largest absolute difference over the baseline's largest absolute value.
    """

    name: str
    rms_relative: float
    max_relative: float


@dataclass(frozen=True)
class Collected:
    """What some pictures say of a change.

    Parameters
    ----------
    top1_agreement : float
        Share of the pictures whose most probable class is the baseline's.
    top5_agreement : float
        Share of the pictures whose five most probable classes are the baseline's, in any order.
    top5_overlap : float
        Mean share of the baseline's five classes that are among the five.
    mean_probability_change, max_probability_change : float
        Of the largest absolute change of any class' probability on a picture: mean and largest.
    top1_accuracy, top5_accuracy : float or None
        Where classes are known.
    layers : tuple of LayerDrift
        Those that have their like in the baseline, of the same shape.
    """

    top1_agreement: float
    top5_agreement: float
    top5_overlap: float
    mean_probability_change: float
    max_probability_change: float
    top1_accuracy: float | None
    top5_accuracy: float | None
    layers: tuple[LayerDrift, ...]

    @property
    def median_layer(self) -> float:
        """Median over the layers of the relative RMS error."""
        return float(np.median([layer.rms_relative for layer in self.layers]))

    @property
    def worst_layer(self) -> LayerDrift:
        """The layer with the largest relative RMS error."""
        return max(self.layers, key=lambda layer: layer.rms_relative)


@dataclass
class _Sums:
    """Squares and largest values of a difference, and of what it is a difference from."""

    squared_difference: float = 0.0
    squared: float = 0.0
    largest_difference: float = 0.0
    largest: float = 0.0

    def add(self, value: NDArray[np.float32], exact: NDArray[np.float32]) -> None:
        apart = (value - exact).ravel()
        exact = exact.ravel()
        # In float32: of the squares two digits are wanted, and this is done for every layer.
        self.squared_difference += float(np.vdot(apart, apart))
        self.squared += float(np.vdot(exact, exact))
        self.largest_difference = max(self.largest_difference, _largest(apart))
        self.largest = max(self.largest, _largest(exact))


@dataclass
class Collector:
    """Takes outputs batch by batch.

    Parameters
    ----------
    output : str
        The baseline's layer with the probabilities.
    """

    output: str
    _top1: list[bool] = field(default_factory=list)
    _overlaps: list[float] = field(default_factory=list)
    _changes: list[float] = field(default_factory=list)
    _hits1: list[bool] = field(default_factory=list)
    _hits5: list[bool] = field(default_factory=list)
    _layers: dict[str, _Sums] = field(default_factory=dict)

    def add(
        self,
        values: Mapping[str, NDArray[Any]],
        baseline: Mapping[str, NDArray[Any]],
        stands_for: Mapping[str, str],
        classes: Sequence[int] | None = None,
    ) -> None:
        """Compare what a changed network gives for a batch with what the baseline gives.

        Parameters
        ----------
        values, baseline : mapping of str to array
            Every layer's output; the input first.
        stands_for : mapping of str to str
            A changed layer, and the one of the baseline that it is to be compared with, where they
            have different names.
        classes : sequence of int, optional
            What the pictures show.
        """
        by_name = {stands_for.get(name, name): value for name, value in values.items()}
        expected, found = _classes(baseline[self.output]), _classes(by_name[self.output])
        for row, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
            best, before = ranked(ours)[:_TOP], ranked(theirs)[:_TOP]
            self._top1.append(bool(best[0] == before[0]))
            self._overlaps.append(len(set(best) & set(before)) / len(before))
            self._changes.append(float(np.abs(ours - theirs).max()))
            if classes is not None:
                self._hits1.append(bool(best[0] == classes[row]))
                self._hits5.append(classes[row] in best)
        _, *layers = baseline  # without the input
        for name in layers:
            exact = baseline[name]
            value = by_name.get(name)
            if value is not None and value.size == exact.size:
                self._layers.setdefault(name, _Sums()).add(value.reshape(exact.shape), exact)

    def result(self) -> Collected:
        """What all batches say together."""
        return Collected(
            top1_agreement=float(np.mean(self._top1)),
            top5_agreement=float(np.mean(np.equal(self._overlaps, 1))),
            top5_overlap=float(np.mean(self._overlaps)),
            mean_probability_change=float(np.mean(self._changes)),
            max_probability_change=float(np.max(self._changes)),
            top1_accuracy=float(np.mean(self._hits1)) if self._hits1 else None,
            top5_accuracy=float(np.mean(self._hits5)) if self._hits5 else None,
            layers=tuple(
                LayerDrift(
                    name,
                    float(np.sqrt(_ratio(sums.squared_difference, sums.squared))),
                    _ratio(sums.largest_difference, sums.largest),
                )
                for name, sums in self._layers.items()
            ),
        )


def _classes(probabilities: NDArray[Any]) -> NDArray[Any]:
    """One column a class; a single unit has the probability of the second of two."""
    if probabilities.shape[1] > 1:
        return probabilities
    return np.concatenate([1 - probabilities, probabilities], axis=1)


def _largest(x: NDArray[np.float32]) -> float:
    return max(float(x.max()), -float(x.min()))


def _ratio(part: float, whole: float) -> float:
    if part == 0:
        return 0.0
    return part / whole if whole else np.inf
