"""V2's block evaluated in slices of its expansion: how much memory that saves (section 5.1)."""

from npmobilenet.analysis.slices.block import Block, block_name, blocks, read_block, run_in_slices
from npmobilenet.analysis.slices.measure import SliceCost, Slices, measure_slices, peak_bytes

__all__ = [
    "Block",
    "SliceCost",
    "Slices",
    "block_name",
    "blocks",
    "measure_slices",
    "peak_bytes",
    "read_block",
    "run_in_slices",
]
