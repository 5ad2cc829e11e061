"""The tests of kernels, engine and parity with other vectors than this machine's.

``make test-generic`` and ``make test-avx2`` run the whole suite so.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from npmobilenet.kernels import host

TESTS = Path(__file__).parents[1]


def run_tests(before: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{before}; import sys, pytest; sys.exit(pytest.main())", "-q",
         "-p", "no:cacheprovider", *arguments],
        env=os.environ | environment,
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("features", ["+avx2,+fma", ""])
def test_narrower_vectors(features):
    """With AVX2 only, and with the vectors that every CPU of the architecture has."""
    if features and host.LANES <= 8:
        pytest.skip("this CPU has no vectors beyond AVX2: every other test is such a run")
    run_tests(
        "pass",
        *map(str, (TESTS / "kernels", TESTS / "engine", TESTS / "parity")),
        "--deselect",
        str(TESTS / "parity" / "test_photographs.py"),
        NUMBA_CPU_NAME="generic",
        NUMBA_CPU_FEATURES=features,
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("lanes", "registers"), [(16, 32), (4, 32)])
def test_layout_of_other_machines(lanes, registers, tmp_path):
    """AVX-512's and NEON's tiles, which LLVM makes of whatever vectors there are."""
    run_tests(
        f"from npmobilenet.kernels import host; host.LANES, host.REGISTERS = {lanes}, {registers}",
        *map(str, (TESTS / "kernels", TESTS / "engine" / "test_program.py")),
        NUMBA_CACHE_DIR=str(tmp_path),
    )
