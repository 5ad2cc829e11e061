"""Concurrent callers, forked and spawned processes."""

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v2
from npmobilenet.engine import NumbaProgram
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


SCRIPT = """
import numpy as np
from npmobilenet.architecture import Conv2D, Input, NetworkBuilder
from npmobilenet.engine import NumbaProgram
net = NetworkBuilder(Input(name="input", shape=(9, 9, 3)))
net.add(Conv2D(name="conv", filters=4, kernel_size=(3, 3), use_bias=False))
program = NumbaProgram(net.build("small"), {"conv/kernel": np.ones((3, 3, 3, 4), "f4")})
print(program(np.ones((1, 9, 9, 3), "f4"), threads=2).sum())
"""


@pytest.mark.parametrize("layer", ["tbb", "omp", "workqueue"])
def test_numba_threading_layer_does_not_matter(layer):
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == 27 * 49 * 4


def test_number_of_threads_by_environment(monkeypatch):
    monkeypatch.setenv("NPMOBILENET_NUM_THREADS", "3")
    assert default_threads() == 3
    monkeypatch.delenv("NPMOBILENET_NUM_THREADS")
    assert 1 <= default_threads() <= (os.cpu_count() or 1)
