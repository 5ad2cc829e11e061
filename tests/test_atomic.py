"""Files whole or not at all, and what killed processes leave."""

import errno
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from npmobilenet import atomic
from npmobilenet.atomic import remove_leftovers, replacing, scratch_folder

LEFT = ".npmobilenet-0123456789abcdef"

posix = pytest.mark.skipif(atomic.fcntl is None, reason="this system has no such locks")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """As in a process that has just begun."""
    monkeypatch.setattr(atomic, "_cleared", set())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def killed(code, folder):
    """Run code until it prints a line, then kill it as ``kill -9`` does."""
    command = [sys.executable, "-c", f"import sys, time\n{code}", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline()
        child.kill()
    assert child.returncode == -signal.SIGKILL


WRITES = """
from npmobilenet.atomic import replacing
with replacing(sys.argv[1] + "/kept.bin") as temporary:
    temporary.write_bytes(b"half")
    print("now", flush=True)
    time.sleep(60)
"""


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "kept.bin"
    with replacing(path) as temporary:
        assert temporary.suffix == ".bin"  # some writers choose a format by it
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["kept.bin"]


def test_a_file_stays_as_it_was(tmp_path):
    path = tmp_path / "kept.bin"
    path.write_bytes(b"old")

    def fails():
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["kept.bin"]


@posix
def test_what_is_written_has_the_usual_permissions(tmp_path):
    with replacing(tmp_path / "kept.bin") as temporary:
        temporary.write_bytes(b"")
        assert stat.S_IMODE(temporary.parent.stat().st_mode) == 0o700
    (tmp_path / "usual.bin").write_bytes(b"")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"missing'$"),
        replacing(tmp_path / "missing" / "kept.bin"),
    ):
        pass


@posix
def test_what_a_killed_process_left_goes_with_the_next(tmp_path):
    for _ in range(2):
        killed(WRITES, tmp_path)
    # The second process has cleared up after the first.
    (left,) = names(tmp_path)
    assert atomic._SCRATCH.fullmatch(left)
    with replacing(tmp_path / "kept.bin") as temporary:
        temporary.write_bytes(b"whole")
    assert names(tmp_path) == ["kept.bin"]


@posix
def test_what_is_being_written_stays(tmp_path):
    with replacing(tmp_path / "kept.bin") as temporary:
        temporary.write_bytes(b"half")
        remove_leftovers(tmp_path)
        atomic._cleared.clear()
        code = "import sys; from npmobilenet.atomic import *; remove_leftovers(sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
        assert temporary.read_bytes() == b"half"
    assert names(tmp_path) == ["kept.bin"]


@posix
def test_what_is_not_ours_stays(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"")
    parent = tmp_path / "parent"
    parent.mkdir()
    (parent / LEFT).symlink_to(elsewhere, target_is_directory=True)
    (parent / LEFT.replace("0", "f")).write_bytes(b"a file of that name")
    (parent / ".npmobilenet-notes").mkdir()
    remove_leftovers(parent)
    assert len(names(parent)) == 3
    assert names(elsewhere) == ["precious"]

    theirs = tmp_path / "theirs"
    (theirs / LEFT).mkdir(parents=True)
    monkeypatch.setattr("os.geteuid", lambda: (theirs / LEFT).stat().st_uid + 1)
    remove_leftovers(theirs)
    assert names(theirs) == [LEFT]
    monkeypatch.undo()
    atomic._cleared.discard(theirs)
    remove_leftovers(theirs)
    assert names(theirs) == []


@posix
def test_a_folder_taken_for_a_leftover_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    """Another process may come between making and locking."""
    lock, lost = atomic._lock, []

    def slow(folder):
        if len(lost) < 3:
            lost.append(folder)
            if len(lost) == 1:
                folder.rmdir()  # gone before it is opened
            elif len(lost) == 2:
                raise BlockingIOError  # somebody is at it
            else:
                descriptor = lock(folder)
                folder.rmdir()  # gone before the lock is had
                return descriptor
        return lock(folder)

    monkeypatch.setattr(atomic, "_lock", slow)
    with scratch_folder(tmp_path) as folder:
        assert len(lost) == 3
        assert folder not in lost
        assert folder.is_dir()


@posix
def test_without_locks_files_are_written_and_nothing_is_removed(tmp_path, monkeypatch):
    def refuses(*_):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(atomic.fcntl, "flock", refuses)
    (tmp_path / LEFT).mkdir()
    with replacing(tmp_path / "kept.bin") as temporary:
        temporary.write_bytes(b"whole")
    assert names(tmp_path) == [LEFT, "kept.bin"]


def test_many_threads_and_no_descriptor_is_left(tmp_path):
    def write(number):
        for turn in range(20):
            atomic._cleared.clear()  # so that each looks for leftovers every time
            with replacing(tmp_path / f"{number}-{turn}") as temporary:
                temporary.write_bytes(b"whole")

    descriptors = Path("/proc/self/fd")
    before = names(descriptors) if descriptors.is_dir() else []
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(tmp_path)) == 160
    assert all(path.read_bytes() == b"whole" for path in tmp_path.iterdir())
    if before:
        assert len(names(descriptors)) == len(before)
