"""Whatever comes between two steps of Python: no memory that helpers write to is freed."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram, crew
from npmobilenet.engine.execute import MAIL_ACTIVE, MAIL_CALL, MAIL_CLAIMS, MAIL_JOB

SCRIPT = Path(__file__).with_name("interrupting.py")

needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")


def interrupted(alpha, size, interrupts):
    done = subprocess.run(
        [sys.executable, SCRIPT, str(alpha), str(size), str(interrupts)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, [str(interrupts), "0", "0"]), done.stderr


@needs_timer
def test_interrupts_leave_memory_alone():
    interrupted(0.5, 224, 300)


@needs_timer
@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "size", "count"), [(0.5, 224, 5000), (0.25, 96, 20_000)])
def test_thousands_of_interrupts(alpha, size, count):
    interrupted(alpha, size, count)


@pytest.fixture(scope="module")
def program(random_weights):
    network = mobilenet_v1((64, 64, 3), 0.25)
    return NumbaProgram(network, random_weights(network))


def idle_mailbox():
    mail = crew._crew._mail
    return [int(mail[word]) for word in (MAIL_CLAIMS, MAIL_JOB, MAIL_ACTIVE)] == [0, 0, 0]


def test_an_exception_at_every_step_of_a_call(program, rng, many_cores):
    """A trace function raises where a handler of a signal may: before any line, one by one."""
    x = rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    expected = program(x, threads=3)
    steps = 0

    def trace(frame, event, _):
        nonlocal left
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_globals["__name__"].startswith("npmobilenet.engine"):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    ended = False
    while not ended:
        steps += 1
        left = steps
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            program(x, threads=3)
            ended = True
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        calls = crew._crew._mail[MAIL_CALL]
        np.testing.assert_array_equal(program(x, threads=3), expected)
        assert crew._crew._mail[MAIL_CALL] > calls  # helpers have been told
        assert idle_mailbox()
    assert steps > 100


def test_a_call_from_a_handler_of_a_signal(program, rng):
    """In the midst of a call Python may begin another."""
    x = rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    expected = program(x, threads=2)
    found = []

    def trace(frame, event, _):
        if frame.f_globals["__name__"] == "npmobilenet.engine.crew" and event == "line":
            sys.settrace(None)
            found.append(program(x, threads=2))
            sys.settrace(trace)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        found.append(program(x, threads=2))
    finally:
        sys.settrace(before)
    assert len(found) > 5
    for values in found:
        np.testing.assert_array_equal(values, expected)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_closed_generators_and_threads_that_end(program, rng):
    x = rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    expected = program(x, threads=2)
    for part in program._parts:
        outputs = part.network.activations(x, 2)
        next(outputs)
        outputs.close()

    def leave():
        program(x, threads=2)
        sys.exit(1)

    threads = [threading.Thread(target=leave) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(program(x, threads=2), expected)
    assert idle_mailbox()


def test_an_array_that_another_thread_reinterprets(program, rng, monkeypatch):
    """Its shape is looked at once."""
    x = rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    given = x.copy()
    expected = program(x, threads=1)

    def reinterpret(threads):
        given.dtype = np.uint8
        return threads

    monkeypatch.setattr("npmobilenet.engine.program._checked", reinterpret)
    np.testing.assert_array_equal(program(given, threads=1), expected)


def test_an_array_in_use_is_not_resized(program, rng, monkeypatch):
    x = rng.uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    arrays = [x]
    del x

    def resize(threads):
        with pytest.raises(ValueError, match="resize"):
            arrays[0].resize((1, 1, 1, 3))
        return threads

    monkeypatch.setattr("npmobilenet.engine.program._checked", resize)
    program(arrays[0], threads=1)


EXIT = """
import sys, threading, time
import numpy as np
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.engine import NumbaProgram
from npmobilenet.initializers import random_weights
network = mobilenet_v1((96, 96, 3), 0.25)
program = NumbaProgram(network, random_weights(network, 0))
x = np.zeros((1, 96, 96, 3), np.float32)
program(x, threads=2)
def forever():
    while True:
        program(x, threads=2)
for _ in range(int(sys.argv[1])):
    threading.Thread(target=forever, daemon=True).start()
time.sleep(0.01)
"""


@pytest.mark.parametrize("callers", [0, 1, 3])
def test_the_interpreter_ends_beside_calls(callers):
    for _ in range(3):
        subprocess.run([sys.executable, "-c", EXIT, str(callers)], check=True)


AT_EXIT = """
import atexit
import numpy as np
from npmobilenet.architecture import mobilenet_v1
from npmobilenet.initializers import random_weights
network = mobilenet_v1((96, 96, 3), 0.25)
x = np.zeros((1, 96, 96, 3), np.float32)
atexit.register(lambda: print(np.array_equal(program(x, threads=2), expected)))
from npmobilenet.engine import NumbaProgram
program = NumbaProgram(network, random_weights(network, 0))
expected = program(x, threads=2)
"""


def test_a_call_at_exit():
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
