"""Fixtures that every test may use, and a bound on the memory of the process that runs them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes hide real output
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # parity is claimed for the CPU

os.environ.setdefault("NPMOBILENET_CHECK", "plans")  # every plan is followed through memory

MOST_MEMORY = 4 << 30  # of one process; `make test` runs as many as there are cores

SHARED = Path(__file__).parents[2] / "shared"


class MemoryGuard:
    """Fails the test with which a process first needed more than its bound.

    Frameworks keep what their largest tensors once took, so a run's memory is that of its worst
    test, and says nothing of where it went.

    Parameters
    ----------
    most : int
        Bytes.
    peak : callable
        The most that the process has needed so far, in bytes.
    """

    def __init__(self, most: int, peak: Callable[[], int]) -> None:
        self.most, self.peak = most, peak
        self.before = peak()
        self.growths: list[tuple[int, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> object:
        """Judge with the teardown, whose failures count with or without xdist."""
        result = yield
        self.judge(item.nodeid)
        return result

    def judge(self, test: str) -> None:
        before, self.before = self.before, self.peak()
        self.growths.append((self.before - before, test))
        if before <= self.most < self.before:
            growth, worst = max(self.growths)
            pytest.fail(
                f"this process has needed {self.before >> 20:,} MiB, expected at most "
                f"{self.most >> 20:,}; with {worst} it grew most, by {growth >> 20:,} MiB",
                pytrace=False,
            )


def _peak_memory() -> int:
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def pytest_configure(config: pytest.Config) -> None:
    if os.name == "posix":
        config.pluginmanager.register(MemoryGuard(MOST_MEMORY, _peak_memory), "memory-guard")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights, images and labels beside a checkout; it is never committed."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (real weights, images and labels), which is not here")
    return SHARED


@pytest.fixture(scope="session")
def keras_weights(shared: Path) -> Path:
    """Real Keras weight files."""
    return shared / "weights" / "keras"


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def lively_weights():
    """Random weights that keep the size of activations from layer to layer (He et al., 2015)."""

    def weights_of(network):
        rng = np.random.default_rng(0)
        weights = {}
        for name, shape in network.variables.items():
            if name.endswith("kernel"):
                depthwise = "_dw_" in name or "depthwise" in name
                inputs = np.prod(shape[:2] if depthwise else shape[:-1])
                weights[name] = rng.normal(0, np.sqrt(2 / inputs), shape).astype(np.float32)
            else:
                ones = name.endswith(("gamma", "moving_variance"))
                weights[name] = np.full(shape, float(ones), np.float32)
        return weights

    return weights_of


@pytest.fixture
def one_more_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """After another one the system starts no threads, as under ``ulimit -u``."""
    start, left = threading.Thread.start, [1]

    def limited(thread: threading.Thread) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
