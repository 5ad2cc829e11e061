"""Whole networks, one image, in every library: ``python -m pytest bench/test_networks.py``."""

import pytest

from bench.cases import NETWORKS

SINGLE = [name for name, case in NETWORKS.items() if case.batch_size == 1]


@pytest.mark.parametrize("network", SINGLE)
def test_network(network, run_case):
    run_case(NETWORKS[network])
