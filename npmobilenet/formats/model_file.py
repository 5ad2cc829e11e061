"""What reading a model file gives."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npmobilenet.architecture import Network


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds.

    Parameters
    ----------
    path : Path
    format : str
        ``"keras-h5-weights"``, ``"keras-h5-model"``, ``"keras-weights-h5"`` (Keras 3's
        ``.weights.h5``), ``"keras-zip"`` (``.keras``) or ``"tf-graphdef"``.
    producer : str or None
        As found in the file, ``"keras 2.11.0 / tensorflow"``.
    network : Network
        With nested models inlined.
    weights : dict of str to ndarray
        float32, by canonical name, for exactly ``network.variables``.
    kind : {"mobilenet", "mobilenet_v2"} or None
        The backbone that was recognised, by names or by what its layers compute.
    alpha : float or None
        Its width multiplier.
    depth_multiplier : int or None
        Its depth multiplier; 1 for V2.
    include_top : bool
        Whether the backbone has its own classifier, known by the names of its layers.
    classes : int or None
        Of the classifier, the backbone's own or one built on it.
    pooling : {"avg", "max"} or None
        How the features of a backbone without its top are pooled.
    assumptions : tuple of str
        What the file does not say and was assumed, and what else a reader should know.
    """

    path: Path
    format: str
    producer: str | None
    network: Network
    weights: dict[str, np.ndarray]
    kind: str | None
    alpha: float | None
    depth_multiplier: int | None
    include_top: bool
    classes: int | None
    pooling: str | None
    assumptions: tuple[str, ...]
