"""Depthwise 3x3 convolution, step by step."""

from npmobilenet.kernels.ladder.depthwise import (
    v1_naive,
    v2_reordered,
    v3_padded,
    v4_tile,
    v5_sliding,
    v6_library,
)
from npmobilenet.kernels.ladder.rung import rungs

DEPTHWISE = rungs(v1_naive, v2_reordered, v3_padded, v4_tile, v5_sliding, v6_library)
