"""Bookkeeping of rounds, with a clock that only moves when it is told to."""

from npmobilenet.analysis.rounds import FEWEST, MOST, WARM_UP, measure


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        def call():
            self.now += seconds

        return call


def test_each_call_has_its_own_time_in_every_round():
    clock = Clock()
    times = measure([clock.work(1), clock.work(2), clock.work(4)], 0, clock=clock)
    assert times == [[1.0] * FEWEST, [2.0] * FEWEST, [4.0] * FEWEST]


def test_rounds_fill_the_seconds():
    clock = Clock()
    times = measure([clock.work(0.25)], 10, clock=clock)
    assert len(times[0]) == 41


def test_rounds_have_an_end_where_nothing_takes_time():
    assert measure([lambda: None], 10, clock=Clock()) == [[0.0] * MOST]


def test_warming_up_is_not_counted():
    clock, calls = Clock(), []

    def slow_at_first():
        calls.append(None)
        clock.now += 100 if len(calls) <= WARM_UP else 1

    assert measure([slow_at_first], 0, clock=clock) == [[1.0] * FEWEST]


def test_what_is_between_is_called_each_round_outside_all_times():
    clock, calls = Clock(), []

    def between():
        calls.append(clock.now)
        clock.now += 50

    assert measure([clock.work(1)], 0, between=between, clock=clock) == [[1.0] * FEWEST]
    assert len(calls) == WARM_UP + FEWEST
