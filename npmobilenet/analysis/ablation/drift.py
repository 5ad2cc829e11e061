"""What each ablation changes, measured on pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.ablation.arithmetic import runs_with
from npmobilenet.analysis.ablation.collecting import Collected, Collector
from npmobilenet.analysis.ablation.pictures import classes_of
from npmobilenet.analysis.ablation.switches import Ablation
from npmobilenet.analysis.ablation.transforms import Ablated
from npmobilenet.architecture import network_macs
from npmobilenet.architecture.heads import gives_probabilities, is_classifier, probabilities
from npmobilenet.architecture.pictures import picture_channels, picture_range
from npmobilenet.formats import tensors_digest
from npmobilenet.images import prepare
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.model import Model

_BATCH = 4  # pictures at a time, so that the baseline's activations fit into memory


@dataclass(frozen=True)
class Drift:
    """One ablation beside the baseline.

    Parameters
    ----------
    switch, setting, text : str
    same : bool
        Whether it is what the baseline has; then nothing was run.
    macs : int
        Multiply-adds for one image.
    seconds : float
        For one image, in plain NumPy.
    found : Collected or None
        Agreement and errors; ``None`` if nothing was run.
    """

    switch: str
    setting: str
    text: str
    same: bool
    macs: int
    seconds: float
    found: Collected | None


@dataclass(frozen=True)
class Ablations:
    """Every ablation of a network on some pictures.

    Parameters
    ----------
    network, source, weights_digest : str
    images : int
    top1_accuracy, top5_accuracy : float or None
        The baseline's, where the pictures' names tell their classes.
    macs : int
    seconds : float
        Of the baseline, for one image.
    rows : tuple of Drift
    """

    network: str
    source: str
    weights_digest: str
    images: int
    top1_accuracy: float | None
    top5_accuracy: float | None
    macs: int
    seconds: float
    rows: tuple[Drift, ...]


def ablate(
    model: Model,
    pictures: Sequence[Path],
    ablations: Sequence[Ablation],
    progress: Callable[[int, int], object] = lambda done, of: None,
) -> Ablations:
    """Run a classifier as it is and with each ablation, and compare.

    Parameters
    ----------
    model : Model
        Its resize mode and crop are the baseline's.
    pictures : sequence of Path
    ablations : sequence of Ablation
    progress : callable, optional
        Is told how many of all runs, of one ablation on some pictures, are done.

    Raises
    ------
    ValueError
        If the model is no classifier. Logits get the activation that they lack.
    ImageError
        If a picture cannot be read.
    """
    if not is_classifier(model.network):
        raise ValueError(f"model {model.name!r} has no classifier, so nothing says what drifts")
    model = _with_probabilities(model)
    network = model.network
    classes = classes_of(pictures, model.labels)
    runs = [_Run(model, ablation) for ablation in ablations]
    busy = [run for run in runs if not run.same]
    program = NumpyProgram(network, model.weights)
    own = Collector(network.nodes[-1].name)
    seconds = 0.0
    starts = range(0, len(pictures), _BATCH)
    for step, start in enumerate(starts):
        part = list(pictures[start : start + _BATCH])
        truth = None if classes is None else classes[start : start + _BATCH]
        batch = model.prepare(part)
        began = perf_counter()
        baseline = program.activations(batch)
        seconds += perf_counter() - began
        own.add(baseline, baseline, {}, truth)
        for number, run in enumerate(busy):
            run.add(model, part, batch, baseline, truth)
            progress(step * len(busy) + number + 1, len(starts) * len(busy))
    result = own.result()
    return Ablations(
        network=network.name,
        source=str(model.source),
        weights_digest=tensors_digest(model.weights),
        images=len(pictures),
        top1_accuracy=result.top1_accuracy,
        top5_accuracy=result.top5_accuracy,
        macs=sum(network_macs(network).values()),
        seconds=seconds / len(pictures),
        rows=tuple(run.drift(len(pictures)) for run in runs),
    )


def _with_probabilities(model: Model) -> Model:
    if gives_probabilities(model.network):
        return model
    return Model(
        probabilities(model.network),
        model.weights,
        backend=model.backend,
        labels=model.labels,
        resize=model.resize,
        crop=model.crop,
        source=model.source,
    )


class _Run:
    """One ablation while it is measured."""

    def __init__(self, model: Model, ablation: Ablation) -> None:
        self.ablation = ablation
        change = ablation.transform
        plain = Ablated(model.network, model.weights)
        self.ablated = plain if change is None else change(model.network, model.weights)
        self.same = (
            self.ablated.network == model.network
            and ablation.arithmetic is None
            and ablation.resize in (None, model.resize)
        )
        self.collector = Collector(model.network.nodes[-1].name)
        self.seconds = 0.0

    def add(
        self,
        model: Model,
        pictures: Sequence[Path],
        batch: NDArray[np.float32],
        baseline: dict[str, NDArray[np.float32]],
        truth: Sequence[int] | None,
    ) -> None:
        """Run it on some pictures more. Programs are not kept: all together would be gigabytes."""
        ablation = self.ablation
        if ablation.resize is not None:
            height, width = batch.shape[1:3]
            batch = prepare(
                list(pictures),
                (height, width),
                ablation.resize,
                model.crop,
                picture_range(model.network),
                channels=picture_channels(model.network),
            )
        run = None if ablation.arithmetic is None else runs_with(ablation.arithmetic)
        program = NumpyProgram(self.ablated.network, self.ablated.weights, run)
        began = perf_counter()
        values = program.activations(batch)
        self.seconds += perf_counter() - began
        self.collector.add(values, baseline, self.ablated.stands_for, truth)

    def drift(self, images: int) -> Drift:
        """What was found."""
        return Drift(
            self.ablation.switch,
            self.ablation.setting,
            self.ablation.text,
            self.same,
            sum(network_macs(self.ablated.network).values()),
            self.seconds / images,
            None if self.same else self.collector.result(),
        )
