"""Standard convolution, step by step."""

from npmobilenet.kernels.ladder.rung import rungs
from npmobilenet.kernels.ladder.standard import (
    v1_naive,
    v2_reordered,
    v3_im2col,
    v4_implicit,
    v5_packed,
    v6_library,
)

STANDARD = rungs(v1_naive, v2_reordered, v3_im2col, v4_implicit, v5_packed, v6_library)
