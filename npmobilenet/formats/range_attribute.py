"""The range of images, kept as an attribute beside the weights: Keras' own layout has no place."""

from math import isfinite
from typing import TYPE_CHECKING

from npmobilenet.architecture import Network
from npmobilenet.errors import ModelFileError
from npmobilenet.formats.hdf5 import Hdf5File
from npmobilenet.formats.messages import shown

if TYPE_CHECKING:
    import h5py

INPUT_RANGE = "input_range"
"""The attribute. Keras leaves attributes alone that it has not."""


def write_range(file: "h5py.File", network: Network) -> None:
    """Keep what black and white become, where it is known."""
    if network.input_range is not None:
        file.attrs[INPUT_RANGE] = " ".join(repr(float(end)) for end in network.input_range)


def read_range(file: Hdf5File) -> tuple[float, float] | None:
    """What `write_range` wrote, or ``None``.

    Raises
    ------
    ModelFileError
        If the attribute is there and is no range.
    """
    text = file.text(file.root, INPUT_RANGE)
    if text is None:
        return None
    try:
        low, high = (float(end) for end in text.split(" "))
    except ValueError:
        low = high = 0.0
    if not (isfinite(low) and isfinite(high) and low < high):
        raise ModelFileError(
            f"attribute {INPUT_RANGE!r} is {shown(text)}, expected two numbers such as '0.0 255.0'"
        )
    return low, high
