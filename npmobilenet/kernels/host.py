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


def _vector_unit() -> tuple[int, int, bool]:
    """Lanes of a vector, how many vector registers there are, whether multiply-adds round once."""
    features = set(cpu_features().split(","))
    if "+avx512f" in features:
        return 16, 32, True
    if platform.machine().lower() in ("aarch64", "arm64"):
        return 4, 32, True
    if {"+avx2", "+fma"} <= features:
        return 8, 16, True
    return 4, 16, "+fma" in features


LANES, REGISTERS, FUSED = _vector_unit()
