"""The cache of compiled kernels on disk."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SMALL = """
import npmobilenet.kernels.jit as jit
import numpy as np
from npmobilenet.kernels.tile import tile_bias, tile_store
@jit.entry
def double(x, out):
    tile = tile_bias(1, 1, x, 0)
    tile_store(tile, out, 0, 0, 2)
    return out[0] + out[1]
assert double(np.ones(64, "f4"), np.zeros(64, "f4")) == 2
print(jit.cache_folder(), sum(double.stats.cache_hits.values()))
"""


def run(tmp_path: Path, script: str = SMALL, **environment: str) -> list[str]:
    source = tmp_path / "script.py"
    source.write_text(script)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} | environment
    done = subprocess.run(
        [sys.executable, source], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_second_process_loads(tmp_path):
    folder, hits = run(tmp_path)
    assert hits == "0"
    assert Path(folder).parent == tmp_path / "cache"
    assert run(tmp_path) == [folder, "1"]


def test_another_cpu_has_a_folder_of_its_own(tmp_path):
    folder, _ = run(tmp_path)
    other, hits = run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert (other != folder, hits) == (True, "0")


def test_processes_at_once(tmp_path):
    run(tmp_path, "pass")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: run(tmp_path), range(4)))
    assert len({folder for folder, _ in results}) == 1
    assert run(tmp_path)[1] == "1"


def test_no_folder_can_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "file")) == ["None", "0"]


@pytest.mark.slow
@pytest.mark.parametrize("features", ["+avx2,+fma", ""])
def test_narrower_vectors(features):
    """The kernels' tests pass with AVX2 only and with the vectors of every CPU."""
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features}
    folder = Path(__file__).parents[1]
    arguments = ["-q", "-p", "no:cacheprovider", str(folder / "kernels")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
