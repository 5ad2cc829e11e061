"""The cache of compiled kernels on disk."""

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from npmobilenet.kernels import cache, jit
from npmobilenet.kernels.jit import entry

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


def total(x):
    """As small as a kernel can be: it compiles in a tenth of a second."""
    result = 0.0
    for value in x:
        result += value
    return result


class Kept:
    """A folder with one compiled kernel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        assert not self.loads()
        (self.file,) = folder.iterdir()
        assert self.loads()

    def loads(self) -> bool:
        """Whether the kernel comes from the folder; what it computes must be right."""
        cache._say.cache_clear()
        kernel = entry(total)
        assert kernel(np.arange(5.0)) == 10.0
        return bool(kernel.stats.cache_hits)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    folder = tmp_path / "kernels"
    folder.mkdir(mode=0o755)
    for module in (cache, jit):
        monkeypatch.setattr(module, "cache_folder", lambda: folder)
    return Kept(folder)


AGAIN = "npmobilenet: kernels kept on disk are not used, but compiled again: "


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


def damages(whole: bytes):
    size = len(whole)
    yield from (flip(whole, place) for place in (*range(0, 64, 9), *range(64, size, size // 20)))
    yield from (whole[:length] for length in (0, 1, 20, 52, 53, size // 2, size - 1))
    yield whole[: size // 4] + bytes(size // 4) + whole[size // 2 :]
    yield bytes(size)
    yield whole + b"."
    yield pickle.dumps({"not": "a kernel"})


def test_whatever_is_damaged_is_compiled_again(kept, capsys):
    whole = kept.file.read_bytes()
    capsys.readouterr()
    for number, damaged in enumerate(damages(whole)):
        kept.file.write_bytes(damaged)
        assert not kept.loads(), number
        assert capsys.readouterr().err == (
            f"{AGAIN}{kept.file} is damaged: its digest is not that of what it holds\n"
        )
        assert kept.loads()
        assert capsys.readouterr().err == ""


def test_the_kernel_of_another_function(kept, capsys):
    """A sound file under a name that is not its own."""

    def product(x):
        result = 1.0
        for value in x:
            result *= value
        return result

    entry(product)(np.ones(2))
    (other,) = set(kept.folder.iterdir()) - {kept.file}
    shutil.copyfile(other, kept.file)
    assert not kept.loads()
    assert "is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["pipe", "link", "device", "folder"])
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
@pytest.mark.timeout(60)
def test_what_is_not_a_file_is_compiled_again(kept, capsys, kind):
    kept.file.unlink()
    if kind == "pipe":
        os.mkfifo(kept.file)
    elif kind == "folder":
        kept.file.mkdir()
    else:
        kept.file.symlink_to("/dev/zero" if kind == "device" else "nothing")
    assert not kept.loads()
    assert capsys.readouterr().err.startswith(f"{AGAIN}{kept.file} is ")
    assert kept.loads() == (kind != "folder")  # which is not ours to remove


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_a_file_that_others_may_write_is_replaced(kept, capsys):
    kept.file.chmod(0o666)
    assert not kept.loads()
    assert "others may write to" in capsys.readouterr().err
    assert kept.loads()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps((1, 2))])
def test_a_sound_file_that_cannot_be_loaded_is_compiled_again(kept, capsys, monkeypatch, content):
    """As by another version of something that the name of the folder does not tell."""
    with monkeypatch.context() as patched:
        patched.setattr(cache._Files, "_dump", lambda self, data: content)
        kept.file.unlink()
        assert not kept.loads()
    loaded = kept.loads()
    said = capsys.readouterr().err
    assert not loaded
    assert said.startswith(
        "npmobilenet: kernels kept on disk are compiled again, because they could not be loaded: "
    )
    assert said.count("\n") == 1
    assert kept.loads()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_a_folder_that_others_may_write_is_not_used(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cache.config, "CACHE_DIR", str(tmp_path))
    find = cache.cache_folder.__wrapped__
    before = os.umask(0)
    try:
        folder = find()
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o755  # whatever the umask
    folder.chmod(0o775)
    cache._say.cache_clear()
    assert find() is None
    assert find() is None
    assert capsys.readouterr().err == (
        f"{AGAIN}others may write to {folder} (mode 775), which `chmod go-w` ends\n"
    )


REAL = """
import sys
from pathlib import Path
import numpy as np
from npmobilenet import MobileNet
from npmobilenet.backends import compile_network
from npmobilenet.engine import warmup
from npmobilenet.kernels.cache import cache_folder
if sys.argv[1:] == ["damage"]:
    (kept,) = cache_folder().glob("*enter*.nbc")
    whole = bytearray(kept.read_bytes())
    context = warmup.enter.targetctx
    for number in range(80):
        damaged = whole.copy()
        if number % 2:
            damaged[number * len(whole) // 80] ^= 1 << number % 8
        else:
            start = number * len(whole) // 80 // 4096 * 4096
            damaged[start : start + 4096] = bytes(len(damaged[start : start + 4096]))
        if damaged == whole:
            continue
        kept.write_bytes(damaged)
        assert warmup.enter._cache.load_overload(warmup._SIGNATURE, context) is None, number
warmup.warm_up()
model = MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=10)
x = np.linspace(-1, 1, 32 * 32 * 3, dtype="f4").reshape(1, 32, 32, 3)
y = model.predict(x, threads=2)
np.testing.assert_allclose(y, compile_network(model.network, model.weights, "numpy")(x), rtol=1e-4)
print(cache_folder(), len(warmup.enter.stats.cache_hits))
"""


@pytest.mark.slow
def test_the_real_kernels_are_checked(tmp_path):
    """80 damages, each of which once gave wrong results or crashes, and a call after the last."""
    folder, _ = run(tmp_path, REAL)
    assert run(tmp_path, REAL, "damage") == [folder, "0"]
    assert run(tmp_path, REAL) == [folder, "1"]


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


@pytest.mark.skipif(not ROOT or not shutil.which("setpriv"), reason="only root can be others")
def test_kernels_of_root_serve_every_user_and_those_of_others_nobody_else(tmp_path):
    """As in an image of a container, where root has compiled and another user runs."""
    folder, _ = run(tmp_path)
    reads = "-all,+dac_override"  # what lies in root's home, as Python itself may
    ids = ("--reuid=54321", "--clear-groups", f"--inh-caps={reads}", f"--ambient-caps={reads}")
    another = ("setpriv", *ids, f"--bounding-set={reads}")
    assert run(tmp_path, before=another) == [folder, "1"]
    os.chown(folder, 1234, -1)
    assert run(tmp_path, before=another) == ["None", "0"]
    assert run(tmp_path) == ["None", "0"]


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
