"""What the pytest-benchmark suites share: one library after the other, on one pinned core."""

import os

import numpy as np
import pytest

from bench.cases import Case, images
from bench.correctness import error
from bench.peers import PEERS, Peer, missing
from npmobilenet.analysis.calibrated import calibrated_weights
from npmobilenet.analysis.machine import cores
from npmobilenet.architecture import network_macs
from npmobilenet.interpreter import NumpyProgram

THREADS = 1  # the thread pools of ten libraries in one process would fight for the cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let other libraries warn: the project's tests make an error of every warning."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session", autouse=True)
def one_core() -> None:
    """Pin this process before any library counts the cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[:THREADS])


@pytest.fixture(params=list(PEERS))
def library(request: pytest.FixtureRequest) -> Peer:
    """Every library that is installed."""
    peer = PEERS[request.param]
    if packages := missing(peer):
        pytest.skip(f"needs {', '.join(packages)}")
    if peer.only_batches:
        pytest.skip("is for batches")
    return peer


@pytest.fixture
def run_case(benchmark, library):
    """Check one case in one library, then time it."""

    def run(case: Case) -> None:
        network, batch = case.build(), images(case)
        weights = calibrated_weights(network, batch)
        reference = NumpyProgram(network, weights)(batch.astype(np.float64))
        predict = library.prepare(network, weights, batch, THREADS)
        found = error(np.asarray(predict()), reference)
        assert found <= library.tolerance
        flop = 2 * sum(network_macs(network).values()) * case.batch_size
        benchmark.group = case.title
        benchmark.extra_info.update(flop=flop, error=found)
        benchmark.pedantic(predict, rounds=20, iterations=1, warmup_rounds=3)

    return run
