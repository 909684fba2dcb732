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


@given(st.floats(1e-9, 1e9), st.floats(1e-3, 0.3))
def test_other_metrics_keep_two_digits_of_their_spread(size: float, relative: float) -> None:
    spread = size * relative
    unit = Unit.of("loss", [size], [spread])
    assert abs(read(unit.show(size)) - size) <= max(0.051 * spread * 10, 0.006 * size)
    if unit.digits >= 0:
        assert abs(read(unit.show(size)) - size) <= 0.0501 * 10 ** math.ceil(math.log10(spread) + 1e-9)


def test_percent_that_is_percent_already_is_not_scaled_again() -> None:
    assert Unit.of("accuracy", [93.1, 92.0]).show(93.1) == "93.10"
    assert Unit.of("accuracy", [0.931, 1.0]).show(0.931) == "93.10"


def test_signs_and_gaps() -> None:
    unit = Unit.of("accuracy", [0.9])
    assert unit.show(0.01, sign=True) == "+1.00"
    assert unit.show(-0.01, sign=True) == "−1.00"
    assert unit.show(-0.00001) == "0.00"
    assert unit.show(math.nan) == unit.interval(math.nan, 1.0) == "–"
    assert unit.spread(0.9, math.nan) == "90.00"
    assert unit.exact(0.005) == "0.5 points"


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
