"""What ``NPMOBILENET_CHECK=1`` notices; and, in the long tests, that it notices nothing here."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram
from npmobilenet.engine import table as t
from npmobilenet.engine.guarded import guarded, seal
from npmobilenet.engine.inspection import guarded_copy

posix = pytest.mark.skipif(os.name != "posix", reason="needs mprotect")


@pytest.fixture
def checked(monkeypatch):
    monkeypatch.setenv("NPMOBILENET_CHECK", "1")


@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("line", [True, False])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 1024, 5000])
def test_all_of_it_is_there(size, end, line):
    values = guarded(size, end=end, line=line)
    assert (values.shape, values.dtype) == ((size,), np.float32)
    assert values.ctypes.data % (64 if line else 4) == 0
    values[:] = 1
    assert values.sum() == size
    seal(values)
    assert not values.flags.writeable


TOUCH = """
import ctypes
from npmobilenet.engine.guarded import guarded, seal
values = guarded(100, end={end}, line=False)
values[:] = 1
address = values.ctypes.data
{before}
ctypes.memset(address + {offset}, 0, 1)
"""


@posix
@pytest.mark.parametrize(
    ("end", "offset", "before", "stopped"),
    [
        (True, 399, "", False),
        (True, 400, "", True),
        (False, 0, "", False),
        (False, -1, "", True),
        (True, 0, "seal(values)", True),
    ],
)
def test_who_goes_beyond_is_stopped(end, offset, before, stopped):
    script = TOUCH.format(end=end, offset=offset, before=before)
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert -done.returncode in ((signal.SIGSEGV, signal.SIGBUS) if stopped else (0,))


@pytest.fixture
def network():
    return mobilenet_v1((32, 32, 3), 0.25, classes=5)


def test_calls_give_what_they_gave(network, random_weights, rng, checked, monkeypatch):
    x = rng.uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    x[0, 0, 0] = np.nan
    weights = random_weights(network)
    found = []
    for value in ("1", "0"):
        monkeypatch.setenv("NPMOBILENET_CHECK", value)
        program = NumbaProgram(network, weights)
        pieces, output = program.pieces(x[1:2])
        for piece in pieces:
            piece.call()
        found.append([program(x, 2), output, *program.activations(x).values()])
    for inspected, plain in zip(*found, strict=True):
        np.testing.assert_array_equal(inspected, plain)


def changed_plan(program, x, change):
    """A program whose plan for ``x`` is another."""
    (part,) = program._parts
    ready = part.network._make_plan(x.shape[1:], len(x), 1)
    table = ready.plan.table.copy()
    change(table, ready.plan)
    part.network._plan = lambda *_: replace(
        ready, plan=replace(ready.plan, table=table, serial=table)
    )
    return program


def copies(table, to, count):
    """The sixth operation copies some floats of the slot, and nothing else."""
    table[5, t.KIND], table[5, t.COLUMNS] = t.COPY, count
    table[5, t.OUT : t.OUT + 3] = t.MEMORY, to, t.LOCAL


def into_the_zeros(table, plan):
    copies(table, -plan.slots, 16)


def into_a_gap(table, plan):
    copies(table, plan.slot_size - plan.gap, 1)


def nothing(table, plan):
    copies(table, 0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (into_the_zeros, "zeros at the beginning of the store were overwritten"),
        (into_a_gap, "gap .* was written to"),
        (nothing, "depends on what was in memory"),
    ],
)
def test_wrong_plans_are_noticed(network, random_weights, rng, checked, change, message):
    x = rng.uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    program = changed_plan(NumbaProgram(network, random_weights(network)), x, change)
    with pytest.raises(RuntimeError, match=message):
        program(x, threads=1)


def test_inputs_are_not_written_to(rng):
    x = rng.uniform(-1, 1, (2, 3, 5)).astype(np.float32)
    for end in (True, False):
        copy = guarded_copy(x, end=end)
        np.testing.assert_array_equal(copy, x)
        assert not copy.flags.writeable


@posix
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_engines_tests_under_memory_checking():
    """All of them once more: forbidden pages, filled memory, and Python's own debug hooks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    checks = {"NPMOBILENET_CHECK": "1", "PYTHONMALLOC": "debug", "MALLOC_PERTURB_": "165"}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q", Path(__file__).parent],
        env=kept | checks,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
