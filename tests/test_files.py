"""What a path names is a regular file, or is refused at once, wherever a path is read."""

import ast
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import npmobilenet
from npmobilenet import load_model
from npmobilenet.analysis.parity.subject import stored_outputs
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.files import NotAFileError, open_file, read_file
from npmobilenet.formats import list_tensors, read_class_names, read_weights
from npmobilenet.images import decode_image, load_img
from npmobilenet.labels import read_labels
from npmobilenet.transfer.embedding_cache import file_digest
from npmobilenet.transfer.knn import KNNClassifier

READERS: dict[str, Callable[[Path], object]] = {
    "class names": read_class_names,
    "digest": file_digest,
    "image": decode_image,
    "keras image": load_img,
    "knn": KNNClassifier.load,
    "labels": read_labels,
    "list": list_tensors,
    "model": load_model,
    "stored": lambda path: stored_outputs(path, mobilenet_v1(), np.zeros((1, 224, 224, 3), "f4")),
    "weights": lambda path: read_weights(path, mobilenet_v1()),
}
readers = pytest.mark.parametrize("reader", READERS)
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@pytest.fixture
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A path that names no regular file."""
    path = tmp_path / "odd"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            yield path
        return
    elif request.param == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    else:
        path = Path(request.param)
    yield path


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
@pytest.mark.parametrize(
    "kind", ["pipe", "link to a pipe", "socket", "/dev/zero", "/dev/null"], indirect=True
)
@readers
def test_what_is_no_file_is_not_waited_for(reader: str, kind: Path) -> None:
    with pytest.raises((ValueError, OSError), match="expected a file") as failure:
        READERS[reader](kind)
    assert str(kind) in str(failure.value)


@readers
def test_a_git_lfs_pointer_is_called_one(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(POINTER)
    with pytest.raises((ValueError, OSError), match="found a Git LFS pointer, expected") as failure:
        READERS[reader](path)
    assert "git lfs pull" in str(failure.value)
    assert str(path) in str(failure.value)


def test_a_git_lfs_pointer_in_bytes() -> None:
    with pytest.raises(ValueError, match="found a Git LFS pointer"):
        decode_image(POINTER)


@readers
def test_folders_are_refused(reader: str, tmp_path: Path) -> None:
    with pytest.raises((ValueError, OSError)):
        READERS[reader](tmp_path)


def test_files_are_read_from_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"version", POINTER.replace(b"git-lfs", b"other"), bytes(100)):
        path.write_bytes(content)
        assert read_file(path) == content
        assert read_file(str(path), 5) == content[:5]
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "absent")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open files")
def test_refusing_leaves_nothing_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pointer").write_bytes(POINTER)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        for name in ("pipe", "pointer"):
            with pytest.raises(NotAFileError):
                open_file(tmp_path / name)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_no_other_place_opens_files_to_read() -> None:
    """Files of the package itself, of the system, and those just written may be opened plainly."""
    own = {
        "analysis/machine.py",
        "files.py",
        "kernels/cache.py",
        "kernels/peak.py",
        "labels/imagenet.py",
    }
    package = Path(npmobilenet.__file__).parent
    found = {
        source.relative_to(package).as_posix()
        for source in package.rglob("*.py")
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and reads(call)
    }
    assert found - own == set()


def reads(call: ast.Call) -> bool:
    """Whether a call opens a path to read it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    modes = [value.value for value in call.args if isinstance(value, ast.Constant)]
    if name == "open":
        plain = isinstance(call.func, ast.Name) and not call.args[1:]
        return plain or "rb" in modes or "r" in modes or not (call.args or call.keywords)
    return name in ("read_bytes", "read_text", "fromfile", "memmap", "loadtxt", "genfromtxt")
