"""ULP arithmetic against numpy.spacing and numpy.nextafter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.analysis.parity.ulp import (
    BUCKETS,
    bucket_names,
    ulp_distance,
    ulp_error,
    ulp_histogram,
)

float32 = st.floats(width=32, allow_nan=False).map(np.float32)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False).map(np.float32)
below_the_end = finite.filter(lambda x: abs(x) < 1e38)  # with room for some steps


def distance(a, b) -> int:
    (found,) = ulp_distance(np.array([a], np.float32), np.array([b], np.float32))
    return int(found)


@given(below_the_end, st.integers(0, 40), st.booleans())
def test_distance_counts_steps_of_nextafter(start, steps, upwards):
    end = start
    for _ in range(steps):
        end = np.nextafter(end, np.float32(np.inf if upwards else -np.inf))
    # A step from one zero to the other does not count, and nextafter makes none.
    assert distance(start, end) == distance(end, start) == steps


@given(float32, float32, float32)
def test_distance_is_a_metric_in_the_order_of_floats(a, b, c):
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    low, middle, high = sorted((a, b, c))
    assert distance(low, middle) + distance(middle, high) == distance(low, high)


def test_distance_across_zero():
    smallest = np.float32(1.4e-45)
    assert distance(-0.0, 0.0) == 0
    assert distance(-smallest, smallest) == 2


def test_distance_needs_numbers_in_float32():
    with pytest.raises(ValueError, match="float64"):
        ulp_distance(np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="not a number"):
        ulp_distance(np.array([np.nan], np.float32), np.zeros(1, np.float32))


@given(below_the_end.filter(lambda x: x != 0), st.integers(-8, 8))
def test_error_is_in_spacings(exact, steps):
    spacing = float(np.spacing(np.abs(exact)))
    value = float(exact) + steps * spacing
    (found,) = ulp_error(np.array([value]), np.array([float(exact)]))
    assert found == abs(steps)


@given(st.floats(-1e30, 1e30, allow_subnormal=False))
def test_a_rounded_value_is_at_most_half_a_unit_off(exact):
    (found,) = ulp_error(np.array([exact], np.float32), np.array([exact]))
    assert 0 <= found <= 0.5


def test_error_at_zero_is_in_the_smallest_subnormals():
    smallest = np.float32(1.4e-45)
    np.testing.assert_array_equal(ulp_error(3 * np.array([smallest]), np.zeros(1)), [3])


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=50))
def test_histogram_has_every_value_in_the_bucket_of_its_name(distances):
    counts = ulp_histogram(np.array(distances))
    assert len(counts) == len(bucket_names()) == BUCKETS
    for name, count in zip(bucket_names(), counts, strict=True):
        if name.startswith(">"):
            expected = [d for d in distances if d > int(name[2:])]
        else:
            low, _, high = name.partition("-")
            expected = [d for d in distances if int(low) <= d <= int(high or low)]
        assert count == len(expected), name
