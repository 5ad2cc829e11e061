"""Arguments that count something."""

import numpy as np
import pytest

from npmobilenet.counts import finite_number, whole_number


@pytest.mark.parametrize("value", [2, np.int64(2), np.uint8(2), np.array(2)])
def test_whole_numbers(value):
    number = whole_number(value, "k")
    assert number == 2
    assert type(number) is int


@pytest.mark.parametrize(
    "value",
    [2.5, 2.0, np.float32(2), float("nan"), True, np.True_, "2", None, [2], np.array([2, 3]), 2j],
    ids=repr,
)
def test_what_is_none(value):
    with pytest.raises(ValueError, match="k must be a whole number, found "):
        whole_number(value, "k")


def test_the_least():
    assert whole_number(0, "copies", least=0) == 0
    for value in (0, -1, np.int8(-3)):
        with pytest.raises(ValueError, match="k must be at least 1, found "):
            whole_number(value, "k")


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), np.float16(0.5)])
def test_finite_numbers(value):
    assert finite_number(value, "rate") == 0.5
    assert type(finite_number(value, "rate")) is float
    assert finite_number(np.int8(-3), "rate") == -3


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -np.inf, np.float32("inf"), True, "1", None, 1j, [1.0]]
)
def test_what_is_no_finite_number(value):
    with pytest.raises(ValueError, match="rate must be a finite number, found "):
        finite_number(value, "rate")
