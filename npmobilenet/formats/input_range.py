"""The range of images that a network expects, from the arithmetic at its beginning."""

from collections.abc import Mapping

import numpy as np

from npmobilenet.architecture import Dropout, Identity, Network, Normalization, Rescaling

_BACKBONE = (-1.0, 1.0)
_IMAGES = ((-1.0, 1.0), (0.0, 255.0), (0.0, 1.0))


def input_range(
    network: Network, weights: Mapping[str, np.ndarray], *, mobilenet: bool
) -> tuple[float, float] | None:
    """What a network's first layers map to -1..1, the range that a MobileNet is trained on.

    Parameters
    ----------
    network : Network
    weights : mapping
        For statistics of Normalization layers.
    mobilenet : bool
        Whether the network is known to be a MobileNet; otherwise images without any rescaling
        could have any range.

    Returns
    -------
    tuple or None
        (-1, 1), (0, 255) or (0, 1); ``None`` if it is none of them.
    """
    scale, offset = np.ones(1), np.zeros(1)
    rescaled = False
    for node in network.nodes[1:]:
        layer = node.layer
        if isinstance(layer, Rescaling):
            factor, shift = np.asarray(layer.scale, float), np.asarray(layer.offset, float)
        elif isinstance(layer, Normalization):
            mean = weights[f"{layer.name}/mean"].astype(float)
            factor = 1 / np.maximum(np.sqrt(weights[f"{layer.name}/variance"].astype(float)), 1e-7)
            shift = -mean * factor
        elif isinstance(layer, Identity | Dropout):
            continue
        else:
            break
        rescaled = True
        scale, offset = scale * factor, offset * factor + shift
    if not (rescaled or mobilenet):
        return None
    for low, high in _IMAGES:
        ends = np.stack([low * scale + offset, high * scale + offset])
        # A mean of 127 or a division by 128 is the same range for all that matters.
        if np.allclose(ends.T, _BACKBONE, atol=0.02):
            return low, high
    return None
