"""Pointwise convolution, step by step."""

from npmobilenet.kernels.ladder.pointwise import (
    v1_naive,
    v2_reordered,
    v3_blocked,
    v4_unrolled,
    v5_tile,
    v6_packed,
    v7_library,
    v8_strassen,
)
from npmobilenet.kernels.ladder.rung import rungs

POINTWISE = rungs(
    v1_naive,
    v2_reordered,
    v3_blocked,
    v4_unrolled,
    v5_tile,
    v6_packed,
    v7_library,
    v8_strassen,
)
