"""How a number is written: accuracies in percent, everything else to two digits of its own spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from paribus.analysis.scores import is_percentage, is_share
from paribus.report.material import Material

MISSING = "–"


@dataclass(frozen=True)
class Unit:
    """The unit in which a metric is shown.

    Args:
        metric: the metric's name.
        scale: shown number = scale * stored number.
        symbol: ``%`` or nothing.
    """

    metric: str
    scale: float = 1.0
    symbol: str = ""

    @classmethod
    def of(cls, metric: str, values: Iterable[float]) -> Unit:
        """Choose the unit of *metric* from its values.

        Accuracies between 0 and 1 are shown in percent with two decimals; accuracies beyond that are percent already.
        """
        if is_percentage(metric):
            return cls(metric, 100.0 if is_share(metric, filter(math.isfinite, values)) else 1.0, "%")
        return cls(metric)

    @property
    def title(self) -> str:
        """The metric with its unit, for a heading."""
        return f"{self.metric}, {self.symbol}" if self.symbol else self.metric

    @property
    def step(self) -> str:
        """The unit of a difference, for a heading: percentage points, or nothing."""
        return "points" if self.symbol == "%" else ""

    def show(self, value: float, spread: float = math.nan, *, sign: bool = False) -> str:
        """Return *value* as a number without its symbol; *sign* writes a plus before what is above zero.

        It has two digits of its *spread*, a standard deviation or half an interval's width; three digits of its own
        where there is none.
        """
        if not math.isfinite(value):
            return MISSING
        return self._written(value, self._decimals(value, spread), sign)

    def spread(self, mean: float, sd: float) -> str:
        """Return ``mean ± sd``; the mean alone where one seed gives no spread."""
        return f"{self.show(mean, sd)} ± {self.show(sd, sd)}" if math.isfinite(sd) else self.show(mean)

    def mean(self, values: Sequence[float]) -> str:
        """Return the mean of *values* and their standard deviation; a dash where there are none."""
        if not values:
            return MISSING
        return self.spread(fmean(values), stdev(values) if len(values) > 1 else math.nan)

    def brief(self, values: Sequence[float]) -> str:
        """Return the mean of *values* alone, with two digits of their spread but at most about five of its own."""
        if not values:
            return MISSING
        mean = fmean(values)
        return self.show(mean, max(stdev(values), 1e-4 * abs(mean)) if len(values) > 1 else math.nan)

    def level(self, value: float, half_width: float) -> str:
        """Return a mean as it stands beside a difference: with its digits, but never fewer than two of its own."""
        return self.show(value, min(half_width, abs(value)) if math.isfinite(half_width) else math.nan)

    def estimate(self, difference: float, low: float, high: float) -> tuple[str, str]:
        """Return a difference and its interval, ``[low, high]``, with signs and as many digits; a dash for none.

        An interval that leaves out zero is written so that it does.
        """
        if not (math.isfinite(low) and math.isfinite(high)):
            return self.show(difference, sign=True), MISSING
        decimals = self._decimals(max(abs(low), abs(high)), (high - low) / 2)
        nearest = min(abs(low), abs(high))
        if low * high > 0 and float(f"{nearest * self.scale:.{max(0, decimals)}f}") == 0:
            decimals = -math.floor(math.log10(nearest * self.scale))
        first, *ends = (self._written(value, decimals, True) for value in (difference, low, high))
        return first, f"[{', '.join(ends)}]"

    def exact(self, value: float) -> str:
        """Return a number that somebody chose, such as a margin, as it was chosen: ``0.5 points``, ``0.01``."""
        number = f"{value * self.scale:.6g}"
        return f"{number} {self.step.removesuffix('s') if number == '1' else self.step}".rstrip()

    def _decimals(self, value: float, spread: float) -> int:
        """How many decimal places *value* has; below zero where digits before the point are not known."""
        if self.symbol:
            return 2
        if math.isfinite(spread) and spread > 0:
            return 1 - math.floor(math.log10(spread))
        return 2 - math.floor(math.log10(abs(value))) if value else 0

    def _written(self, value: float, decimals: int, sign: bool) -> str:
        shown = value * self.scale
        if decimals <= 6 and abs(shown) < 1e6:
            text = f"{round(shown, max(0, decimals)) + 0.0:.{max(0, decimals)}f}"
        else:
            digits = math.floor(math.log10(abs(shown))) + decimals + 1 if shown else 1
            text = f"{shown:.{min(max(1, digits), 15)}g}"
        if sign and value > 0 and not text.startswith("-"):
            text = f"+{text}"
        return text.replace("-", "−")


def unit_of(material: Material) -> Unit:
    """Choose the unit of the study's metric."""
    arms = (material.control, *material.arms)
    return Unit.of(material.study.metric, [score for arm in arms for score in arm.scores.scores.values()])


def beside(material: Material) -> list[tuple[Unit, list[list[float]]]]:
    """Return for each metric beside the one that decides its unit, and its values in the control and in each arm."""
    arms = (material.control, *material.arms)
    columns = [[list(arm.metrics.get(metric, {}).values()) for arm in arms] for metric in material.study.beside]
    return [
        (Unit.of(metric, [value for values in own for value in values]), own)
        for metric, own in zip(material.study.beside, columns, strict=True)
    ]


def probability(p: float) -> str:
    """Return a p-value with two significant digits, ``<0.001`` where it is smaller than that."""
    if not math.isfinite(p):
        return MISSING
    if p < 0.001:
        return "<0.001"
    return f"{p:.2f}" if p >= 0.095 else f"{p:.2g}"


def duration(seconds: float) -> str:
    """Return a time for people: ``0.4 s``, ``48 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    if not math.isfinite(seconds) or seconds < 0:
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def counted(number: int, noun: str) -> str:
    """Return ``1 seed``, ``2 seeds``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
