"""Run by a test in a process of its own: everything at once, at random, for some time.

``python soaking.py SECONDS SEED`` calls programs while signals interrupt, threads call beside,
exceptions strike other threads, the process forks, and models are copied, pickled, made and
dropped. Every answer is compared with the right one, to the bit, and arrays that nobody may write
to are looked at. The last line counts what was done, as JSON.
"""

import copy
import ctypes
import gc
import json
import os
import pickle
import random
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from npmobilenet.architecture import mobilenet_v1, mobilenet_v2
from npmobilenet.engine import NumbaProgram, crew
from npmobilenet.engine.execute import MAIL_ACTIVE, MAIL_CLAIMS, MAIL_JOB
from npmobilenet.initializers import random_weights

IMAGES = 5
CHILD_SECONDS = 60


class StruckError(BaseException):
    """What a handler of a signal raises, or another thread.

    No ``Exception``: ``np.array_equal`` catches those, and calls the arrays different.
    """


class Subject:
    """A program, images, and what it makes of each."""

    def __init__(self, network, seed):
        rng = np.random.default_rng(seed)
        self.network, self.weights = network, random_weights(network, seed)
        self.program = NumbaProgram(network, self.weights)
        self.x = rng.uniform(-1, 1, (IMAGES, *network.input_shape)).astype(np.float32)
        self.expected = self.program(self.x, threads=1)

    def check(self, program=None):
        """One call with some of the images, on some threads."""
        first = random.randrange(IMAGES)
        last = random.randrange(first, IMAGES) + 1
        found = (program or self.program)(self.x[first:last].copy(), random.choice((1, 2, 2, 3, 8)))
        if not np.array_equal(found, self.expected[first:last]):
            again = (program or self.program)(self.x[first:last].copy(), 1)
            raise AssertionError(
                f"{self.network.name}: a wrong answer for images {first} to {last}, off by "
                f"{np.abs(found - self.expected[first:last]).max()}; on one thread now "
                f"{np.array_equal(again, self.expected[first:last])}"
            )


class Soak:
    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.counts = Counter()
        shapes = [((96, 96, 3), 0.25), ((128, 128, 3), 0.5), ((64, 48, 3), 1.0)]
        self.subjects = [Subject(mobilenet_v1(*shape), i) for i, shape in enumerate(shapes)]
        self.subjects.append(Subject(mobilenet_v2((64, 64, 3), 0.35, classes=10), 3))
        self.failed = []

    def run(self):
        signal.signal(signal.SIGALRM, self.strike)
        callers = [threading.Thread(target=self.call_beside) for _ in range(2)]
        for caller in callers:
            caller.start()
        acts = [
            self.calls,
            self.interrupts,
            self.interrupts,
            self.strikes_another_thread,
            self.forks,
            self.copies,
            self.pickles,
            self.new_models,
            self.looks_inside,
            self.pieces,
            self.handler_calls,
        ]
        foreign = []
        while time.monotonic() < self.end and not self.failed:
            act = random.choice(acts)
            try:
                act()
            except AssertionError as wrong:
                self.failed.append(f"{act.__name__}: {wrong}")
            self.counts[act.__name__] += 1
            # What was freed is taken at once; whoever still writes there is seen.
            foreign.append(np.full(random.choice((100, 10_000, 300_000, 1_000_000)), 7, np.float32))
            if len(foreign) > 8:
                if (foreign.pop(0) != 7).any():
                    self.failed.append("a foreign array was written to")
                self.counts["arrays looked at"] += 1
        self.end = 0
        for caller in callers:
            caller.join()
        words = [int(crew._crew._mail[word]) for word in (MAIL_CLAIMS, MAIL_JOB, MAIL_ACTIVE)]
        if any(words):
            self.failed.append(f"the mailbox is left with {words}")
        self.counts["threads"] = len(list(Path("/proc/self/task").iterdir()))
        self.counts["helpers"] = len(crew._crew._helpers)

    def strike(self, *_):
        raise StruckError

    def call_beside(self):
        while self.end:
            try:
                random.choice(self.subjects).check()
                self.counts["calls beside"] += 1
            except AssertionError as wrong:
                self.failed.append(f"beside: {wrong}")
                return

    def calls(self):
        for _ in range(50):
            random.choice(self.subjects).check()

    def interrupts(self):
        subject = random.choice(self.subjects)
        try:
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 5e-3))
            while True:
                subject.check()
        except StruckError:
            pass
        subject.check()

    def strikes_another_thread(self):
        done = threading.Event()

        def call():
            try:
                while not done.is_set():
                    random.choice(self.subjects).check()
            except StruckError:
                pass
            except AssertionError as wrong:
                self.failed.append(f"struck: {wrong}")

        caller = threading.Thread(target=call)
        caller.start()
        time.sleep(random.uniform(0, 3e-3))
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(caller.ident), ctypes.py_object(StruckError)
        )
        time.sleep(random.uniform(0, 3e-3))
        done.set()
        caller.join()

    def handler_calls(self):
        done = []

        def call(*_):
            self.subjects[0].check()
            done.append(1)

        signal.signal(signal.SIGALRM, call)
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 3e-3))
        while not done:
            self.subjects[1].check()
        signal.signal(signal.SIGALRM, self.strike)

    def forks(self):
        with warnings.catch_warnings(action="ignore"):  # of forking with threads: it is meant
            child = os.fork()
        if child == 0:
            status = 1
            try:
                for subject in self.subjects:
                    subject.check()
                status = 0
            finally:
                os._exit(status)
        until = time.monotonic() + CHILD_SECONDS
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
                self.failed.append("a forked child hung")
            time.sleep(1e-3)
        if ended[1]:
            self.failed.append(f"a forked child ended with {ended[1]}")

    def copies(self):
        subject = random.choice(self.subjects)
        other = copy.deepcopy(subject.program)
        subject.check(other)
        del other
        subject.check()

    def pickles(self):
        subject = random.choice(self.subjects)
        subject.check(pickle.loads(pickle.dumps(subject.program)))
        subject.check()

    def new_models(self):
        subject = random.choice(self.subjects)
        subject.check(NumbaProgram(subject.network, subject.weights, fused=True))
        gc.collect(0)

    def looks_inside(self):
        subject = random.choice(self.subjects)
        (part,) = subject.program._parts
        outputs = part.network.activations(subject.x, random.choice((1, 2, 3)))
        for _ in range(random.randrange(4)):
            next(outputs)
        outputs.close()

    def pieces(self):
        subject = random.choice(self.subjects)
        pieces, output = subject.program.pieces(subject.x[:1], random.choice((1, 2)))
        for piece in pieces:
            piece.call()
        if not np.array_equal(output, subject.expected[:1]):
            self.failed.append("pieces give another answer")


def main(seconds, seed):
    random.seed(seed)
    crew.usable_cores = lambda: 4  # more helpers than cores, too
    soak = Soak(seconds)
    soak.run()
    sys.stdout.write(json.dumps({"failed": soak.failed, "counts": dict(soak.counts)}) + "\n")
    sys.exit(bool(soak.failed))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
