"""Shares: every row is in one unit, and threads get as much work as can be."""

from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.engine.shares import balanced, even, guided, rounds

totals = st.integers(1, 300)
threads = st.integers(1, 20)


def sizes(share, total):
    rows = [share.rows] * min(share.large, share.units)
    rows += [share.rest] * (share.units - len(rows))
    rows[-1] -= sum(rows) - total
    assert all(size > 0 for size in rows)
    assert sum(rows) == total
    return rows


@given(totals, st.integers(1, 300))
def test_even(total, rows):
    assert max(sizes(even(total, rows), total)) <= rows


@given(totals, st.integers(0, 300), threads)
def test_rounds(total, most, count):
    share = rounds(total, most, count)
    found = sizes(share, total)
    assert max(found) <= max(1, most)
    if count > 1 and total >= count and total % (share.rows * count) == 0:
        assert share.units % count == 0


@given(totals, st.integers(1, 40), threads)
def test_balanced(total, most, count):
    """As many units for each thread, of nearly one size."""
    share = balanced(total, most, count)
    found = sizes(share, total)
    assert max(found) <= most
    assert max(found) - min(found) <= 1
    assert len(found) % count == 0 or len(found) == total


@given(totals, threads)
def test_guided(total, count):
    """Threads of one speed end together, within a small unit."""
    share = guided(total, count)
    found = sizes(share, total)
    assert max(found) <= -(-total // count)
    busy = [0] * count
    for size in found:
        busy[busy.index(min(busy))] += size
    assert max(busy) - total / count <= max(1, share.rest if share.units > count else 1)


def test_guided_lets_a_fast_core_do_more():
    """On cores of speeds 1 and 0.75, 14 rows take 8 instead of 9.3 times a row."""
    speeds, ready = (1.0, 0.75), [0.0, 0.0]
    for size in sizes(guided(14, 2), 14):
        first = ready.index(min(ready))
        ready[first] += size / speeds[first]
    assert max(ready) <= 8.0
