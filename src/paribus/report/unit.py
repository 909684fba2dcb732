"""How a number is written: accuracies in percent, everything else to two digits of its spread."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from paribus.analysis.scores import is_share
from paribus.report.material import Material

MISSING = "–"


@dataclass(frozen=True)
class Unit:
    """The unit in which a metric is shown.

    Args:
        metric: the metric's name.
        scale: shown number = scale * stored number.
        symbol: ``%`` or nothing.
        digits: decimal places; negative for numbers that are better shown with an exponent.
    """

    metric: str
    scale: float
    symbol: str
    digits: int

    @classmethod
    def of(cls, metric: str, values: Iterable[float], spreads: Iterable[float] = ()) -> Unit:
        """Choose the unit of *metric* from its values and from spreads, the standard deviations or interval widths.

        Accuracies between 0 and 1 are shown in percent with two decimals; accuracies beyond that are percent already.
        """
        sizes = [abs(value) for value in values if math.isfinite(value)]
        if "accuracy" in metric.lower():
            return cls(metric, 100.0 if is_share(metric, sizes) else 1.0, "%", 2)
        steps = [spread for spread in spreads if math.isfinite(spread) and spread > 0]
        largest = max(sizes, default=0.0)
        step = sorted(steps)[len(steps) // 2] if steps else largest / 50
        if step <= 0:
            return cls(metric, 1.0, "", 2)
        digits = max(0, 1 - math.floor(math.log10(step)))
        return cls(metric, 1.0, "", -1 if digits > 6 or largest >= 1e6 else digits)

    @property
    def title(self) -> str:
        """The metric with its unit, for a heading."""
        return f"{self.metric}, {self.symbol}" if self.symbol else self.metric

    @property
    def step(self) -> str:
        """The unit of a difference, for a heading: percentage points, or nothing."""
        return "points" if self.symbol == "%" else ""

    def show(self, value: float, *, sign: bool = False) -> str:
        """Return *value* as a number without its symbol; *sign* writes a plus before what is above zero."""
        if not math.isfinite(value):
            return MISSING
        if self.digits < 0:
            text = f"{value * self.scale:.3g}"
        else:
            text = f"{round(value * self.scale, self.digits) + 0.0:.{self.digits}f}"
        if sign and value > 0 and not text.startswith("-"):
            text = f"+{text}"
        return text.replace("-", "−")

    def spread(self, mean: float, sd: float) -> str:
        """Return ``mean ± sd``; the mean alone where one seed gives no spread."""
        return f"{self.show(mean)} ± {self.show(sd)}" if math.isfinite(sd) else self.show(mean)

    def interval(self, low: float, high: float) -> str:
        """Return ``[low, high]`` with signs, or a dash where there is none."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return MISSING
        return f"[{self.show(low, sign=True)}, {self.show(high, sign=True)}]"

    def exact(self, value: float) -> str:
        """Return a number that somebody chose, such as a margin, as it was chosen: ``0.5 points``, ``0.01``."""
        return f"{value * self.scale:.6g} {self.step}".rstrip()


def unit_of(material: Material) -> Unit:
    """Choose the unit of the study's metric."""
    arms = (material.control, *material.arms)
    values = [score for arm in arms for score in arm.scores.scores.values()]
    half_widths = [(verdict.high - verdict.low) / 2 for verdict in material.verdicts]
    return Unit.of(material.study.metric, values, half_widths)


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
