"""What each channel does on given pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from npmobilenet.analysis.inside.feature_maps import one_picture
from npmobilenet.architecture import Layer, ReLU
from npmobilenet.images import OneImage
from npmobilenet.interpreter import NumpyProgram
from npmobilenet.model import Model
from npmobilenet.reference import FloatArray

_SMALLEST_NORMAL = np.finfo(np.float32).smallest_normal


@dataclass(frozen=True)
class ChannelStatistics:
    """One layer's channels over all pixels of some pictures; every array is ``(channels,)``."""

    layer: str
    type: str
    pictures: int
    minimum: FloatArray
    maximum: FloatArray
    mean: FloatArray
    zeros: FloatArray
    """Share of the values that are 0."""
    clipped: FloatArray | None
    """Share of the values at the upper limit of the activation; ``None`` if it has none."""
    subnormals: FloatArray
    """Share of the values that are not 0 but below float32's least normal number, 1.18e-38."""

    @property
    def dead(self) -> NDArray[np.int64]:
        """Indices of the channels that are 0 at every pixel of every picture."""
        return np.flatnonzero(self.zeros == 1)

    @property
    def constant(self) -> NDArray[np.int64]:
        """Indices of the channels that have one value everywhere, the dead ones among them."""
        return np.flatnonzero(self.minimum == self.maximum)


def channel_statistics(
    model: Model, images: Sequence[OneImage], layers: Sequence[str] | None = None
) -> list[ChannelStatistics]:
    """Smallest, largest and mean value of each channel, and the shares of special values.

    The reference computes the activations in float32, one picture after the other.

    Parameters
    ----------
    model : Model
    images : sequence of path, PIL image or array (height, width, 3) of 0 to 255
    layers : sequence of str, optional
        Keras' names; by default every layer of the network, its input included.

    Raises
    ------
    ValueError
        If there is no picture, or no layer of a name.
    ImageError
        If a picture cannot be read.
    """
    if not images:
        raise ValueError("statistics need at least one picture, found none")
    chosen = [layer.name for layer in model.layers] if layers is None else list(layers)
    for name in chosen:
        model.get_layer(name)  # its error names model and layer
    program = NumpyProgram(model.network, model.weights)
    found: dict[str, list[_Sums]] = {name: [] for name in chosen}
    for image in images:
        activations = program.activations(one_picture(model, image))
        for name in chosen:
            found[name].append(_sums(activations[name], _limit(model.get_layer(name))))
    return [_statistics(model.get_layer(name), sums) for name, sums in found.items()]


@dataclass(frozen=True)
class _Sums:
    """What can be added up picture by picture."""

    pictures: int
    values: int
    minimum: FloatArray
    maximum: FloatArray
    total: FloatArray
    zeros: FloatArray
    clipped: FloatArray
    subnormals: FloatArray

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.pictures + other.pictures,
            self.values + other.values,
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
            self.total + other.total,
            self.zeros + other.zeros,
            self.clipped + other.clipped,
            self.subnormals + other.subnormals,
        )


def _sums(activation: FloatArray, limit: float | None) -> _Sums:
    pixels = activation.reshape(-1, activation.shape[-1])
    size = np.abs(pixels)
    return _Sums(
        pictures=1,
        values=len(pixels),
        minimum=pixels.min(axis=0),
        maximum=pixels.max(axis=0),
        total=pixels.sum(axis=0, dtype=np.float64),
        zeros=np.sum(pixels == 0, axis=0, dtype=np.float64),
        clipped=np.sum(pixels >= (np.inf if limit is None else limit), axis=0, dtype=np.float64),
        subnormals=np.sum((size > 0) & (size < _SMALLEST_NORMAL), axis=0, dtype=np.float64),
    )


def _limit(layer: Layer) -> float | None:
    if isinstance(layer, ReLU):
        return layer.max_value
    return 6.0 if getattr(layer, "activation", None) == "relu6" else None


def _statistics(layer: Layer, parts: Sequence[_Sums]) -> ChannelStatistics:
    whole = reduce(_Sums.__add__, parts)
    return ChannelStatistics(
        layer=layer.name,
        type=type(layer).__name__,
        pictures=whole.pictures,
        minimum=whole.minimum,
        maximum=whole.maximum,
        mean=whole.total / whole.values,
        zeros=whole.zeros / whole.values,
        clipped=None if _limit(layer) is None else whole.clipped / whole.values,
        subnormals=whole.subnormals / whole.values,
    )
