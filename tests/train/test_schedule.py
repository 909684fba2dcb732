"""Schedules against their formulas, and the promise that they scale with the budget."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import ConfigError
from paribus.train.schedule import OneCycle, Steps

COURSE = Steps(rates=(0.01, 0.001, 0.0005), starts=(0.0, 0.6, 0.85))


def test_steps_change_exactly_where_they_say() -> None:
    rates = [COURSE.rate(step, 100) for step in range(100)]
    assert rates == [0.01] * 60 + [0.001] * 25 + [0.0005] * 15


@given(st.integers(1, 50), st.integers(0, 99))
def test_a_longer_run_is_the_same_run_at_scale(factor: int, step: int) -> None:
    assert COURSE.rate(step * factor, 100 * factor) == COURSE.rate(step, 100)


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing() -> None:
    cycle = OneCycle(peak=0.4, warmup=0.25)
    rates = [cycle.rate(step, 1000) for step in range(1000)]
    assert rates[:250] == sorted(rates[:250])
    assert rates[250:] == sorted(rates[250:], reverse=True)
    assert max(rates) == pytest.approx(0.4, rel=1e-3)
    assert 0 < min(rates) < 1e-6
    assert rates[625] == pytest.approx(0.2, rel=5e-3)  # half-way down the cosine
    assert sum(rates[250:]) / 750 == pytest.approx(0.2, rel=1e-6)  # the mean of half a cosine


@pytest.mark.parametrize(
    "make",
    [
        lambda: Steps(rates=(0.1,), starts=(0.0, 0.5)),
        lambda: Steps(rates=(0.1, 0.2), starts=(0.1, 0.5)),
        lambda: Steps(rates=(0.1, 0.2), starts=(0.0, 1.0)),
        lambda: Steps(rates=(0.0,), starts=(0.0,)),
        lambda: OneCycle(peak=math.inf),
        lambda: OneCycle(peak=0.1, warmup=1.0),
    ],
)
def test_impossible_schedules_are_refused(make: object) -> None:
    with pytest.raises(ConfigError):
        make()  # type: ignore[operator]
