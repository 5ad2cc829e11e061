"""Files written where there is no room: an error, the old file still there, nothing beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="needs limits of the size of files")

WRITER = """
import resource, signal, sys
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.formats import write_keras_h5, write_keras_model
from npmobilenet.initializers import random_weights

network = mobilenet_v1((32, 32, 3), 0.25, classes=3)
weights = random_weights(network, 0)
write = {"weights": write_keras_h5, "model": write_keras_model}[sys.argv[2]]
write("warm-up.h5", network, weights)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    write(sys.argv[1], network, weights)
except OSError as error:
    print("OSError", error.errno)
"""


@pytest.mark.parametrize("room", [0, 1000, 300_000, 800_000])
@pytest.mark.parametrize("kind", ["weights", "model"])
def test_no_room(kind: str, room: int, tmp_path: Path) -> None:
    target = tmp_path / "folder" / "w.h5"
    target.parent.mkdir()
    target.write_bytes(b"old")
    found = subprocess.run(
        [sys.executable, "-c", WRITER, str(target), kind, str(room)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "NPMOBILENET_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout == "OSError 27\n"
    assert target.read_bytes() == b"old"
    assert [item.name for item in target.parent.iterdir()] == ["w.h5"]
