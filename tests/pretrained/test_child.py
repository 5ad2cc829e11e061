"""Child processes that end with their parent, whatever ends it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from npmobilenet.pretrained.child import run_module

SLEEPER = """
import os, pathlib, subprocess, sys, time
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".part").write_text(f"{os.getpid()} {below.pid}")
path.with_suffix(".part").replace(path)
time.sleep(300)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """``module(text)``: the name of a module that children find, of this text."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(text):
        (tmp_path / "told.py").write_text(text)
        return "told"

    return write


def test_a_module_runs_as_main_with_its_arguments(module):
    name = module(
        "import sys\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:]); print('said', file=sys.stderr); sys.exit(3)\n"
    )
    done = run_module(name, ["one", "two"], timeout=60)
    assert done.returncode == 3
    assert done.stdout == "['one', 'two']\n"
    assert done.stderr == "said\n"


def test_nothing_of_the_current_folder_is_run(tmp_path, monkeypatch):
    (tmp_path / "told.py").write_text("print('run')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert "No module named told" in run_module("told", [], timeout=60).stderr


def test_what_takes_too_long_is_ended(module, tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        run_module(module("import time; time.sleep(300)"), [], timeout=0.2)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_with_a_killed_process_its_children_end(module, tmp_path):
    pids = tmp_path / "pids"
    code = (
        "import sys; from npmobilenet.pretrained.child import run_module; "
        f"run_module({module(SLEEPER)!r}, sys.argv[1:], timeout=300)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(pids)]) as parent:
        while not pids.exists():
            assert parent.poll() is None
            time.sleep(0.01)
        child, below = map(int, pids.read_text().split())
        assert alive(child)
        assert alive(below)
        parent.kill()
    while alive(child) or alive(below):  # the time limit of tests ends what does not end
        time.sleep(0.01)


def alive(pid):
    """Whether a process runs; a dead one that nobody has asked about does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not status.parents[1].is_dir()
