"""The range of images that a network expects: what its file says of it, and what is assumed.

Arithmetic at the beginning of a network says it. Where there is none and a MobileNet reads the
images, they come as keras.applications prepares them for it; whoever trained it may have done
otherwise, so that this is an assumption and is written down. Of any other network nothing is known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npmobilenet.architecture import (
    AveragePooling2D,
    CenterCrop,
    Concatenate,
    Cropping2D,
    Dropout,
    Identity,
    Layer,
    MaxPooling2D,
    Network,
    Normalization,
    Rescaling,
    Resizing,
    UpSampling2D,
    ZeroPadding2D,
)
from npmobilenet.formats.structure import Structure, structure_behind

Range = tuple[float, float]

MOBILENET: Range = (-1.0, 1.0)
"""What ``preprocess_input`` of both MobileNets in keras.applications gives."""

_IMAGES: tuple[Range, ...] = ((0.0, 255.0), (0.0, 1.0), (-1.0, 1.0))
# Layers that move or choose pixels have no say in what a pixel is.
_PLACING = (
    AveragePooling2D,
    CenterCrop,
    Concatenate,
    Cropping2D,
    Dropout,
    Identity,
    MaxPooling2D,
    Resizing,
    UpSampling2D,
    ZeroPadding2D,
)
_LEAST_SPREAD = 0.5  # of what a network is given: 1/255 of images of 0..1 is not meant
_MOST_UNLIKE = 4.0  # how much channels may differ in scale
_CLEARLY = 1.5  # how much better balanced a range must be than the next
_MOBILENET_REASON = "as keras.applications trained this network, and nothing scales them"


@dataclass(frozen=True)
class InputRange:
    """What black and white become for a network.

    Parameters
    ----------
    values : tuple, optional
        ``None`` if nothing says it.
    structure : Structure, optional
        The MobileNet that was recognised by its graph.
    assumption : str, optional
        What was assumed, in words.
    """

    values: Range | None
    structure: Structure | None = None
    assumption: str | None = None


def expected_range(
    network: Network, weights: Mapping[str, np.ndarray], alpha: float | None = None
) -> InputRange:
    """The range of images for a network.

    Parameters
    ----------
    network : Network
    weights : mapping
        For statistics of Normalization layers.
    alpha : float, optional
        Of a MobileNet that was recognised by names. It need not be what reads the images: a layer
        in front of it may have learned any range.
    """
    fronts = list(_fronts(network, weights))
    behind = [structure_behind(network, front.name, alpha) for front in fronts]
    structure = max(filter(None, behind), key=lambda found: found.blocks, default=None)
    scaling = [front for front in fronts if front.scales]
    if scaling:
        found = {_meant(front) for front in scaling}
        values = found.pop() if len(found) == 1 else None
        if values is None or all(_is_usual(front, values) for front in scaling):
            return InputRange(values, structure)
        return InputRange(values, structure, _assumed(values, "to suit the arithmetic on them"))
    if structure is None:
        return InputRange(None)
    return InputRange(MOBILENET, structure, _assumed(MOBILENET, _MOBILENET_REASON))


def _assumed(values: Range, reason: str) -> str:
    low, high = values
    return (
        f"images come as values of {low:g} to {high:g}, {reason}; input_range (--input-range LOW "
        "HIGH) says otherwise"
    )


@dataclass(frozen=True)
class _Front:
    """A layer that gives a network images, times ``scale`` plus ``offset`` for each channel."""

    name: str
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    @property
    def scales(self) -> bool:
        return not (np.all(self.scale == 1) and np.all(self.offset == 0))


def _fronts(network: Network, weights: Mapping[str, np.ndarray]) -> Iterator[_Front]:
    """Where arithmetic on the images ends and the network begins; more than once if it branches."""
    first = network.nodes[0].name
    fronts = {first: _Front(first, np.ones(1), np.zeros(1))}
    entries: dict[str, None] = {}
    for node in network.nodes[1:]:
        sources = [fronts.get(name) for name in node.inputs]
        source = _common(sources)
        if source is None:
            entries |= dict.fromkeys(front.name for front in sources if front is not None)
            continue
        arithmetic = _arithmetic(node.layer, weights)
        if arithmetic is None:
            entries[source.name] = None
        else:
            scale, offset = arithmetic
            fronts[node.name] = _Front(
                node.name, source.scale * scale, source.offset * scale + offset
            )
    if not entries:
        entries = {network.nodes[-1].name: None}
    return (fronts[name] for name in entries)


def _common(sources: list[_Front | None]) -> _Front | None:
    """The front that all inputs of a layer are, if they are the same images: grey three times."""
    first, *others = sources
    return first if all(other is first for other in others) else None


def _arithmetic(
    layer: Layer, weights: Mapping[str, np.ndarray]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """What a layer multiplies images by and adds to them; ``None`` if it does more than that."""
    if isinstance(layer, Rescaling):
        return np.asarray(layer.scale, float), np.asarray(layer.offset, float)
    if isinstance(layer, Normalization):
        mean = weights[f"{layer.name}/mean"].astype(float)
        deviation = np.sqrt(np.maximum(weights[f"{layer.name}/variance"].astype(float), 0))
        factor = 1 / np.maximum(deviation, 1e-7)
        return factor, -mean * factor
    if isinstance(layer, _PLACING):
        return np.ones(1), np.zeros(1)
    return None


def _meant(front: _Front) -> Range | None:
    """The range of images that arithmetic spreads around zero, or begins there.

    Rescaling by 1/127.5 less 1 is meant for 0..255, a mean of 0.45 and a deviation of 0.22 for
    0..1: of the usual ranges, the one whose ends come out most alike in size.
    """
    factors = np.abs(front.scale)
    if not 0 < factors.max() <= _MOST_UNLIKE * factors.min():
        return None
    balances = {}
    for images in _IMAGES:
        least, most = _ends(front, images)
        spread = most - least
        if np.all(spread >= _LEAST_SPREAD) and np.all((least <= 1e-3 * spread) & (most >= 0)):
            sizes = np.sort(np.abs([least, most]), 0)
            balances[images] = float(np.min(sizes[0] / sizes[1]))
    best = sorted(balances, key=lambda images: balances[images], reverse=True)
    if len(best) > 1 and balances[best[0]] < _CLEARLY * balances[best[1]]:
        return None
    return best[0] if best else None


def _is_usual(front: _Front, images: Range) -> bool:
    """Whether images become -1..1 or 0..1; a mean of 127 or a division by 128 is as good."""
    ends = np.stack(_ends(front, images), -1)
    return any(np.allclose(ends, usual, atol=0.02) for usual in (MOBILENET, (0.0, 1.0)))


def _ends(front: _Front, images: Range) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest value that images become, for each channel."""
    ends = np.outer(images, front.scale) + front.offset
    return ends.min(0), ends.max(0)
