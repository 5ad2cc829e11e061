"""The cache of compiled kernels on disk."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

SMALL = """
import numpy as np
from npmobilenet.kernels.cache import cache_folder
from npmobilenet.kernels.host import LANES
from npmobilenet.kernels.jit import entry
from npmobilenet.kernels.tile import tile_bias, tile_store
@entry
def double(x, out):
    tile = tile_bias(1, LANES, x, 0)
    tile_store(tile, out, 0, 0, 2)
    return out[0] + out[1]
assert double(np.ones(64, "f4"), np.zeros(64, "f4")) == 2
print(cache_folder(), sum(double.stats.cache_hits.values()))
"""


# Root may write everywhere unless it gives that up.
ROOT = getattr(os, "geteuid", lambda: 1)() == 0
MERE_MORTAL = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if ROOT else ()


def run(
    tmp_path: Path,
    script: str = SMALL,
    *arguments: str,
    before: Sequence[str] = (),
    **environment: str,
) -> list[str]:
    source = tmp_path / "script.py"
    written = tmp_path / f"{uuid4()}.py"  # other processes may be reading the script
    written.write_text(script)
    written.replace(source)
    done = subprocess.run(
        [*before, sys.executable, source, *arguments],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_second_process_loads(tmp_path):
    folder, hits = run(tmp_path)
    assert hits == "0"
    assert Path(folder).parent == tmp_path / "cache"
    assert run(tmp_path) == [folder, "1"]


def test_another_cpu_has_a_folder_of_its_own(tmp_path, monkeypatch):
    for variable in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(variable, raising=False)
    folder, _ = run(tmp_path)
    other, hits = run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert (other != folder, hits) == (True, "0")


def test_processes_at_once(tmp_path):
    run(tmp_path, "pass")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: run(tmp_path), range(4)))
    assert len({folder for folder, _ in results}) == 1
    assert run(tmp_path)[1] == "1"


def test_a_damaged_file_is_compiled_again(tmp_path):
    folder, _ = run(tmp_path)
    (kept,) = Path(folder).iterdir()
    whole = kept.read_bytes()
    for rest in (b"", whole[: len(whole) // 2]):
        kept.write_bytes(rest)
        assert run(tmp_path) == [folder, "0"]
        assert run(tmp_path) == [folder, "1"]


@pytest.mark.skipif(ROOT and not shutil.which("setpriv"), reason="root may write all")
def test_a_folder_that_can_only_be_read(tmp_path):
    folder, _ = run(tmp_path)
    (kept,) = Path(folder).iterdir()
    try:
        Path(folder).chmod(0o555)
        assert run(tmp_path, before=MERE_MORTAL) == [folder, "1"]
        Path(folder).chmod(0o755)
        kept.unlink()
        Path(folder).chmod(0o555)
        assert run(tmp_path, before=MERE_MORTAL) == [folder, "0"]
        assert not list(Path(folder).iterdir())
    finally:
        Path(folder).chmod(0o755)


LIKE = """
import sys
import numpy as np
from npmobilenet.kernels.jit import entry, jit
def make(step):
    @jit
    def walk(x, i):
        total = 0.0
        while i < x.size:  # long enough that LLVM leaves it a function
            total = total * 0.5 + x[i] * step
            if total > 3.0:
                total -= x[i // 2]
            if total < -3.0:
                total += x[i // 3]
            i += step
        return total
    return walk
one, two = make(1), make(2)
@entry
def by_one(x):
    return one(x, 0) + one(x, 1) + one(x, 2) + one(x, 3) + one(x, 4)
@entry
def by_two(x):
    return two(x, 0) + two(x, 1) + two(x, 2) + two(x, 3) + two(x, 4)
x = np.linspace(0, 9, 40)
for name in sys.argv[1:]:
    function, walk = {"one": (by_one, one.py_func), "two": (by_two, two.py_func)}[name]
    print(function(x) == sum(walk(x, i) for i in range(5)), sum(function.stats.cache_hits.values()))
"""


def test_functions_of_one_name_from_several_processes(tmp_path):
    """Numba numbers them, the same in each process; LLVM took the second for the first."""
    assert run(tmp_path, LIKE, "one") == ["True", "0"]
    assert run(tmp_path, LIKE, "two") == ["True", "0"]
    assert run(tmp_path, LIKE, "one", "two") == ["True", "1", "True", "1"]


def test_no_folder_can_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "file")) == ["None", "0"]
