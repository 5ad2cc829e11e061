"""Single layers in every library: ``python -m pytest bench/test_ops.py``."""

import pytest

from bench.cases import OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation(operation, run_case):
    run_case(OPERATIONS[operation])
