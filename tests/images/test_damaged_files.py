"""Damaged pictures: whatever the bytes, an array or an ImageError, in bounded memory and time."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from npmobilenet.errors import ImageError
from npmobilenet.images import decode_image

KINDS = ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"]
ADDRESS_SPACE = 4 << 30  # the libraries alone map most of 1 GiB
RESIDENT = 1 << 30
SECONDS_A_PICTURE = 20


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """The same file with bits flipped, bytes overwritten, a part cut out, or an end missing."""
    positions = st.integers(0, len(data) - 1)

    def flip(places: list[tuple[int, int]]) -> bytes:
        changed = bytearray(data)
        for position, mask in places:
            changed[position] ^= mask
        return bytes(changed)

    # Headers are short and matter most.
    near_the_start = st.integers(0, min(63, len(data) - 1))
    places = st.tuples(st.one_of(near_the_start, positions), st.integers(1, 255))
    return st.one_of(
        st.lists(places, min_size=1, max_size=8).map(flip),
        positions.map(lambda end: data[:end]),
        st.tuples(positions, positions).map(lambda cut: data[: min(cut)] + data[max(cut) :]),
        st.tuples(positions, st.binary(min_size=1, max_size=16)).map(
            lambda patch: data[: patch[0]] + patch[1] + data[patch[0] + len(patch[1]) :]
        ),
    )


def decode_damaged(data: bytes, examples: int) -> dict[str, int]:
    """Decode so many damaged copies; anything but an array or an ImageError escapes."""
    counts = {"decoded": 0, "refused": 0}

    @settings(
        max_examples=examples,
        deadline=SECONDS_A_PICTURE * 1000,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(data))
    def run(broken: bytes) -> None:
        try:
            array = decode_image(broken)
        except ImageError:
            counts["refused"] += 1
        else:
            assert array.ndim == 3
            counts["decoded"] += 1

    run()
    return counts


@pytest.mark.parametrize("kind", KINDS)
def test_some_damaged_files(files, kind):
    counts = decode_damaged(files[kind], 60)
    assert counts["refused"] > 0


CHILD = """
import importlib.util, resource, sys, warnings
from pathlib import Path
warnings.simplefilter("error")
spec = importlib.util.spec_from_file_location("damaged_files", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
resource.setrlimit(resource.RLIMIT_AS, (module.ADDRESS_SPACE, module.ADDRESS_SPACE))
counts = module.decode_damaged(Path(sys.argv[2]).read_bytes(), int(sys.argv[3]))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) * 1024  # ru_maxrss would count the parent before exec
print(sum(counts.values()), counts["refused"], peak)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux' /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_damaged_files(tmp_path, files, kind):
    path = tmp_path / "picture"
    path.write_bytes(files[kind])
    child = subprocess.run(
        [sys.executable, "-c", CHILD, __file__, str(path), "2500"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-3000:]
    ran, refused, peak = map(int, child.stdout.split())
    report = f"{kind}: {ran} files, {refused} refused, {peak >> 20} MiB at most"
    print(report)  # noqa: T201 - the figures are what this test is run for
    assert ran >= 2000
    assert 0 < refused <= ran
    assert peak < RESIDENT
