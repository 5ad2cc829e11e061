"""The vector unit of the machine that the kernels are compiled for."""

import platform

from numba.core import codegen, config


def cpu_features() -> str:
    """LLVM's feature list (``"+avx2,+fma,..."``) that Numba compiles for.

    ``NUMBA_CPU_FEATURES`` replaces the host's, so ``+avx2,+fma`` gives a run with AVX2 only and an
    empty value a run with the vectors that every CPU of the architecture has.
    """
    if config.CPU_FEATURES is not None:
        return str(config.CPU_FEATURES)
    return str(codegen.get_host_cpu_features())


def _vector_unit() -> tuple[int, int]:
    """Float32 lanes of a vector, and how many vector registers there are."""
    features = set(cpu_features().split(","))
    if "+avx512f" in features:
        return 16, 32
    if platform.machine().lower() in ("aarch64", "arm64"):
        return 4, 32
    if {"+avx2", "+fma"} <= features:
        return 8, 16
    return 4, 16


LANES, REGISTERS = _vector_unit()
