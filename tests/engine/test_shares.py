"""Shares: every row is in one unit, and threads get as much work as can be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from npmobilenet.engine import table as t
from npmobilenet.engine.columns import span_facts
from npmobilenet.engine.facts import span_of
from npmobilenet.engine.shares import at_most, equal, guided, waste

totals = st.integers(1, 300)
threads = st.integers(1, 20)


def spans(share, end, begin=0):
    """Rows of each unit, as the compiled engine finds them in its table."""
    row = np.zeros(t.WIDTH, np.int64)
    row[t.BEGIN] = begin
    for column, value in span_facts(share).items():
        row[column] = value
    return [span_of(row, 0, unit, end) for unit in range(share.units)]


def sizes(share, end):
    """How many rows each unit has: none is empty, and they follow each other."""
    found = spans(share, end)
    assert [begin for begin, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == end
    assert share.rows == max(stop - begin for begin, stop in found) or share.grain > 1
    assert all(begin < stop for begin, stop in found)
    return [stop - begin for begin, stop in found]


@settings(deadline=None)  # the first call compiles
@given(totals, st.integers(1, 300))
def test_equal(total, parts):
    found = sizes(equal(total, parts), total)
    assert len(found) == min(parts, total)
    assert max(found) - min(found) <= 1


@settings(deadline=None)  # the first call compiles
@given(totals, st.integers(-1, 300), threads)
def test_at_most(total, most, count):
    found = sizes(at_most(total, most, count), total)
    assert max(found) <= max(1, most)
    assert max(found) - min(found) <= 1
    assert len(found) % count == 0 or len(found) == total


@settings(deadline=None)  # the first call compiles
@given(totals, threads, st.integers(1, 9), st.data())
def test_groups_of_rows(total, count, grain, data):
    """Units begin at groups of rows; only the last may have less than whole ones."""
    end = data.draw(st.integers(grain * (total - 1) + 1, grain * total))
    share = equal(total, count).times(grain)
    found = sizes(share, end)
    assert max(found) <= share.rows
    assert all(size % grain == 0 for size in found[:-1])


def test_rows_before_the_first_unit():
    assert spans(equal(10, 2), 100, begin=7) == [(7, 12), (12, 17)]


@settings(deadline=None)  # the first call compiles
@given(totals, threads)
def test_guided(total, count):
    """Threads of one speed end together, within a small unit."""
    share = guided(total, count)
    found = sizes(share, total)
    assert len(found) in (min(total, count), 2 * count)
    assert max(found) <= -(-total // count)
    busy = [0] * count
    for thread in range(count):
        first, last = thread * len(found) // count, (thread + 1) * len(found) // count
        busy[thread] = sum(found[first:last])
    assert max(busy) - min(busy) <= 1


def test_guided_lets_a_fast_core_do_more():
    """On cores of speeds 1 and 0.75, 14 rows take 8 instead of 9.3 times a row."""
    own = [sizes(guided(14, 2), 14)[:2], sizes(guided(14, 2), 14)[2:]]
    speeds, ready = (1.0, 0.75), [0.0, 0.0]
    while own[0] or own[1]:
        first = ready.index(min(ready))
        size = own[first].pop(0) if own[first] else own[1 - first].pop()
        ready[first] += size / speeds[first]
    assert max(ready) <= 8.0


def test_waste():
    assert waste(8, 2, 8) == 1
    assert waste(5, 2, 5) == 6 / 5
    assert waste(4, 2, 3.5) == 4 / 3.5  # 28 and 21 pixels in tiles of 14
