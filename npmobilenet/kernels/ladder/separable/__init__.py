"""A depthwise separable block: where the two ladders meet."""

from npmobilenet.kernels.ladder.rung import rungs
from npmobilenet.kernels.ladder.separable import v1_two_kernels, v2_fused

SEPARABLE = rungs(v1_two_kernels, v2_fused)
