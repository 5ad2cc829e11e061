"""Places in one block of memory."""

from hypothesis import given
from hypothesis import strategies as st

from npmobilenet.engine.arena import Arena


@given(st.lists(st.tuples(st.integers(1, 1000), st.booleans()), min_size=1, max_size=60))
def test_taken_ranges_never_overlap(requests):
    arena, taken = Arena(), {}
    for count, give in requests:
        if give and taken:
            offset = next(iter(taken))
            arena.give(offset)
            del taken[offset]
        offset = arena.take(count)
        assert offset % 16 == 0
        assert offset + count <= arena.size
        for other, size in taken.items():
            assert offset + count <= other or other + size <= offset
        taken[offset] = count


def test_free_room_is_used_again():
    arena = Arena()
    first, second = arena.take(100), arena.take(50)
    arena.give(first)
    assert arena.take(60) == first
    arena.give(second)
    assert arena.size == 176
