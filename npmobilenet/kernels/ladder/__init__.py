"""Each convolution as a ladder of versions, from the loops of its definition to the library's own.

A rung is one file with one idea; its docstring says what the idea fixes and what is still wrong.
All rungs of a ladder compute the same. ``npmobilenet ladder`` measures them.
"""

from npmobilenet.kernels.ladder.depthwise import DEPTHWISE
from npmobilenet.kernels.ladder.pointwise import POINTWISE
from npmobilenet.kernels.ladder.rung import Rung
from npmobilenet.kernels.ladder.separable import SEPARABLE
from npmobilenet.kernels.ladder.standard import STANDARD

LADDERS: dict[str, tuple[Rung, ...]] = {
    "depthwise": DEPTHWISE,
    "pointwise": POINTWISE,
    "standard": STANDARD,
    "separable": SEPARABLE,
}
"""The rungs of each operation, lowest first."""

__all__ = ["LADDERS", "Rung"]
