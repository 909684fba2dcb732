"""How numbers are written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.report.unit import Unit, duration, probability


def read(text: str) -> float:
    return float(text.replace("−", "-"))


@given(st.floats(0, 1), st.floats(-1, 1))
def test_an_accuracy_is_shown_in_percent_to_a_hundredth(accuracy: float, difference: float) -> None:
    unit = Unit.of("test_accuracy", [accuracy])
    assert unit.title == "test_accuracy, %"
    assert read(unit.show(accuracy)) == pytest.approx(100 * accuracy, abs=0.0051)
    assert read(unit.show(difference, sign=True)) == pytest.approx(100 * difference, abs=0.0051)


@given(st.floats(1e-9, 1e9), st.floats(1e-6, 10))
def test_other_metrics_keep_two_digits_of_their_spread(size: float, relative: float) -> None:
    spread = size * relative
    mean, sd = map(read, Unit.of("loss", [size, 1e12]).spread(size, spread).split(" ± "))
    assert mean == pytest.approx(size, abs=0.0501 * spread)
    assert sd == pytest.approx(spread, rel=0.0501)


@given(st.floats(1e-9, 1e9))
def test_a_number_without_a_spread_keeps_three_digits(value: float) -> None:
    unit = Unit.of("loss", [value, 1e12])
    assert read(unit.show(value)) == read(unit.show(value, 0.0)) == pytest.approx(value, rel=0.00501)
    assert unit.show(0.0) == "0"


def test_a_mean_beside_a_noisy_difference_is_not_rounded_away() -> None:
    unit = Unit.of("loss", [6.1])
    assert [unit.level(value, 16.0) for value in (6.123, 0.0753, -31.2)] == ["6.1", "0.075", "−31"]
    assert unit.level(6.123, 0.0021) == "6.1230"
    assert unit.level(6.123, math.nan) == "6.12"


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e3))
def test_an_interval_is_written_to_its_width_and_touches_zero_only_where_it_does(middle: float, width: float) -> None:
    low, high = middle - width, middle + width
    for metric in ("loss", "accuracy"):
        difference, interval = Unit.of(metric, [50.0]).estimate(middle, low, high)
        ends = [read(end) for end in interval[1:-1].split(", ")]
        for shown, end in zip((*ends, read(difference)), (low, high, middle), strict=True):
            assert shown == pytest.approx(end, abs=max(0.0051, 0.0501 * width))
        if abs(low) > 1e-9 and abs(high) > 1e-9 and low * high > 0:
            assert ends[0] * ends[1] > 0


def test_percent_that_is_percent_already_is_not_scaled_again() -> None:
    assert Unit.of("accuracy", [93.1, 92.0]).show(93.1) == "93.10"
    assert Unit.of("accuracy", [0.931, 1.0]).show(0.931) == "93.10"


def test_signs_and_gaps() -> None:
    unit = Unit.of("accuracy", [0.9])
    assert unit.show(0.01, sign=True) == "+1.00"
    assert unit.show(-0.01, sign=True) == "−1.00"
    assert unit.show(-0.00001) == "0.00"
    assert unit.show(math.nan) == unit.estimate(0.0, math.nan, 1.0)[1] == "–"
    assert unit.spread(0.9, math.nan) == "90.00"
    assert unit.exact(0.005) == "0.5 points"
    assert unit.exact(0.01) == "1 point"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "<0.001"), (0.00099, "<0.001"), (0.0123, "0.012"), (0.0951, "0.10"), (0.5, "0.50"), (1.0, "1.00")],
)
def test_p_values(p: float, text: str) -> None:
    assert probability(p) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (5940, "99 min"),
        (6001, "1 h 40 min"),
        (7200, "2 h"),
        (200_000, "2 d 8 h"),
        (math.inf, "–"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
