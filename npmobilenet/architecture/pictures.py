"""What a network takes pictures as: the one place that every preparation asks."""

from math import isfinite

from npmobilenet.architecture.geometry import CenterCrop, Resizing
from npmobilenet.architecture.layers import Dropout, Identity, Input, Normalization, Rescaling
from npmobilenet.architecture.network import Network
from npmobilenet.errors import PictureInputError

Range = tuple[float, float]

_CHANNELS = (1, 3, 4)
_KEEPING_SIZE = (Dropout, Identity, Input, Normalization, Rescaling)


def picture_range(network: Network) -> Range:
    """What black and white become for a network.

    Raises
    ------
    PictureInputError
        If nothing says it. A guess would give wrong answers that nobody hears of.
    """
    if network.input_range is None:
        raise PictureInputError(
            f"nothing says what values model {network.name!r} takes pictures as: say it with "
            "input_range, as in load_model(path, input_range=(0, 1)) or --input-range 0 1"
        )
    return network.input_range


def picture_channels(network: Network) -> int:
    """How many channels pictures have for a network: 1 is grey, 3 RGB and 4 RGBA.

    Raises
    ------
    PictureInputError
        If pictures cannot have as many, or the input is no image.
    """
    shape = network.input_shape
    if len(shape) != 3 or shape[-1] not in _CHANNELS:
        raise PictureInputError(
            f"model {network.name!r} takes samples of shape {shape}, which no picture is: pictures "
            "have height, width and 1 (grey), 3 (RGB) or 4 (RGBA) channels; give arrays to predict"
        )
    return shape[-1] or 0


def picture_size(network: Network, otherwise: int) -> tuple[int, int]:
    """Height and width that pictures are given for a network.

    A network that takes any size may begin with a layer that makes one of it: then pictures come
    in that size. ``otherwise`` is the side where nothing says it.
    """
    height, width = network.input_shape[:2]
    if height is None or width is None:
        for node in network:
            if isinstance(node.layer, Resizing | CenterCrop):
                height, width = height or node.layer.height, width or node.layer.width
                break
            if not isinstance(node.layer, _KEEPING_SIZE):
                break
    return height or otherwise, width or otherwise


def checked_range(value: object) -> Range:
    """An input range as an argument.

    Raises
    ------
    ValueError
        If it is not two finite numbers, the smaller one first.
    """
    try:
        low, high = (float(end) for end in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (isfinite(low) and isfinite(high) and low < high):
        raise ValueError(
            "input_range must be what black and white become, two numbers such as (0, 1), "
            f"found {value!r}"
        )
    return low, high
