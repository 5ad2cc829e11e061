"""How matrix products and convolutions are cut into tiles that fit the registers."""

from npmobilenet.kernels.host import LANES, REGISTERS

# One tile holds ROWS x VECTORS sums, VECTORS weights and a factor: 31 of 32 registers, 15 of 16.
ROWS, VECTORS = (14, 2) if REGISTERS == 32 else (6, 2)

PANEL = VECTORS * LANES
"""Output channels of a full tile; weights are packed in panels of so many columns."""


def round_up(size: int, unit: int) -> int:
    """The smallest multiple of ``unit`` that is not below ``size``."""
    return -(-size // unit) * unit
