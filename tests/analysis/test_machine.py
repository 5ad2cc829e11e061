"""Who else was at work, from figures as Linux gives them."""

import os

import pytest

from npmobilenet.analysis import machine
from npmobilenet.analysis.machine import Neighbours, busy_cores, cores, cpu_name, pinned


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """``fake(ticks, own, now)`` sets what all cores, this process and the clock have reached."""
    stat = tmp_path / "stat"
    monkeypatch.setattr(machine, "_STAT", stat)
    values = {"own": 0.0, "now": 0.0}
    monkeypatch.setattr(machine, "process_time", lambda: values["own"])
    monkeypatch.setattr(machine, "perf_counter", lambda: values["now"])

    def set_to(ticks, own, now):
        stat.write_text(f"cpu  {ticks} 0 0 777777 888 0 0 0 0 0\n")
        values.update(own=own, now=now)

    return set_to


def test_neighbours_without_this_process(fake):
    tick = os.sysconf("SC_CLK_TCK")
    fake(1000 * tick, 3.0, 50.0)
    neighbours = Neighbours()
    fake(1000 * tick + 7 * tick, 5.0, 54.0)  # 7 s of work in 4 s, of which 2 s are ours
    assert neighbours.busy() == pytest.approx(1.25)


def test_neighbours_are_never_fewer_than_none(fake):
    fake(0, 0.0, 0.0)
    neighbours = Neighbours()
    fake(0, 1.0, 1.0)
    assert neighbours.busy() == 0


def test_where_the_system_cannot_tell(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_STAT", tmp_path / "nothing")
    assert busy_cores(0.01) == 0


def test_pinned_gives_the_cores_back():
    before = cores()
    with pinned(1):
        assert len(cores()) == (1 if hasattr(os, "sched_setaffinity") else len(before))
    assert cores() == before


def test_the_processor_has_a_name():
    assert cpu_name()
