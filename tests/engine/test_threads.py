"""Concurrent callers, forked and spawned processes."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v2
from npmobilenet.engine import NumbaProgram, warmup
from npmobilenet.engine.crew import default_threads


@pytest.fixture(scope="module")
def program(random_weights):
    network = mobilenet_v2((64, 64, 3), 0.35, classes=7)
    return NumbaProgram(network, random_weights(network))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(1).uniform(-1, 1, (3, 64, 64, 3)).astype(np.float32)


def test_callers_share_a_program(program, x):
    expected = program(x, threads=1)
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(program, x[: 1 + i % 3], 1 + i % 4) for i in range(120)]
        for i, call in enumerate(calls):
            np.testing.assert_array_equal(call.result(), expected[: 1 + i % 3])


def test_python_runs_during_a_call(program, x):
    """The interpreter lock is free: another thread counts on while this one predicts."""
    program(x, threads=2)
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    try:
        program(np.repeat(x, 40, axis=0), threads=1)
        assert counted[0] > 0
    finally:
        stop.set()
        counter.join()


def _predict(program, x, queue):
    queue.put(program(x, threads=3))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking with threads, which is meant
def test_forked_child_predicts(program, x):
    expected = program(x, threads=3)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_predict, args=(program, x, queue))
    child.start()
    np.testing.assert_array_equal(queue.get(), expected)
    child.join(30)
    assert child.exitcode == 0
    np.testing.assert_array_equal(program(x, threads=3), expected)


SMALL = """
import numpy as np
from npmobilenet.architecture import Conv2D, Input, NetworkBuilder
from npmobilenet.engine import NumbaProgram
net = NetworkBuilder(Input(name="input", shape=(9, 9, 3)))
net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 3), use_bias=False))
program = NumbaProgram(net.build("small"), {"conv/kernel": np.ones((3, 3, 3, 4), "f4")})
def predict(threads):
    return float(program(np.ones((3, 9, 9, 3), "f4"), threads=threads).sum())
"""
SUM = 3 * 27 * 49 * 4.0

BESIDE = """
import os
from concurrent.futures import ThreadPoolExecutor
import numba
@numba.njit(parallel=True)
def parallel_sum(x):
    total = 0.0
    for i in numba.prange(x.size):
        total += x[i]
    return total
with ThreadPoolExecutor(5) as pool:
    calls = [pool.submit(predict, 1 + i % 3) for i in range(200)]
    try:
        while not all(call.done() for call in calls):
            parallel_sum(np.ones(1000))
        assert numba.threading_layer() == os.environ["NUMBA_THREADING_LAYER"]
    except ValueError as error:
        print(str(error).split(".")[0])
    print({call.result() for call in calls})
"""


@pytest.mark.parametrize("layer", ["tbb", "omp", "workqueue"])
def test_numba_threading_layer_does_not_matter(layer):
    """Callers at once, beside code of a user that keeps the layer's own threads at work."""
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer}
    # The wheel of TBB puts its library where the loader does not look.
    folders = [f"{sys.prefix}/lib", *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(folders)
    done = subprocess.run(
        [sys.executable, "-c", SMALL + BESIDE],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    *absent, values = done.stdout.splitlines()
    assert values == str({SUM})
    if absent:
        pytest.skip(f"callers at once agree, but {absent[0]}")


SPAWN = """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print({predict(2), *pool.map(predict, [1, 2, 3])})
"""


def test_spawned_children_predict(tmp_path):
    script = tmp_path / "spawn.py"
    script.write_text(SMALL + SPAWN)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str({SUM})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_beside_a_call(program, x):
    """The parent's threads and locks, in whatever state, are no matter of the child's."""
    expected = program(x, threads=3)
    stop = threading.Event()

    def call():
        while not stop.is_set():
            program(x, threads=3)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        for _ in range(5):
            with warnings.catch_warnings(action="ignore"):  # of forking with threads: it is meant
                child = os.fork()
            if child == 0:
                os._exit(0 if np.array_equal(program(x, threads=3), expected) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        caller.join()


def test_number_of_threads_by_environment(monkeypatch):
    monkeypatch.setenv("NPMOBILENET_NUM_THREADS", "3")
    assert default_threads() == 3
    monkeypatch.delenv("NPMOBILENET_NUM_THREADS")
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking with threads, which is meant
def test_a_fork_waits_for_who_compiles():
    """Else the child would have a lock that nobody ever releases, and half of what was compiled."""
    compiling, compiled = threading.Event(), threading.Event()

    def compile_something():
        with warmup._lock:
            compiling.set()
            time.sleep(0.2)
            compiled.set()

    compiler = threading.Thread(target=compile_something)
    compiler.start()
    compiling.wait()
    child = os.fork()
    if child == 0:
        free = compiled.is_set() and warmup._lock.acquire(timeout=1)
        os._exit(0 if free else 1)
    assert os.waitpid(child, 0)[1] == 0
    compiler.join()


INTERRUPTED = """
import sys
from npmobilenet.engine import warmup
class Kernel:
    def compile(self, signature):
        with warmup.event.trigger_event("numba:compile"):
            raise KeyboardInterrupt
warmup._entry, warmup.enter = None, Kernel()
try:
    warmup.warm_up()
except KeyboardInterrupt:
    import gc
    print(gc.isenabled(), warmup._entry)
"""


def test_what_was_not_compiled_to_the_end_is_not_said_to_be_kept():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True None\n"
    assert "not compiled to the end" in done.stderr
    assert "kept in" not in done.stderr
