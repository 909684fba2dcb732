"""A verdict in one plain English sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from paribus.analysis.looks import MIN_PAIRS
from paribus.analysis.verdict import Direction, Word


@dataclass(frozen=True)
class Wording:
    """Writes numbers of one arm: an accuracy's in points, others as they are."""

    half_width: float
    scale: float = 1.0
    """Shown number = scale * number: 100 for a share of examples, which is written in percent."""
    unit: str = ""

    def amount(self, value: float) -> str:
        """Return *value* with two significant digits of its interval, and its unit."""
        number = self.number(value)
        return f"{number} {self.unit.removesuffix('s') if number == '1' else self.unit}".rstrip()

    def mattering(self, margin: float) -> str:
        """Return the *margin* as what matters: ``20.0 points that matter``."""
        text = self.amount(margin)
        return f"{text} that matter{'s' if text.partition(' ')[0] == '1' else ''}"

    def number(self, value: float, *, beside_zero: bool = False) -> str:
        """Return *value*; where it is *beside_zero*, as the end of an interval that leaves zero out, not as zero."""
        shown = self.scale * value
        size = self.scale * self.half_width if self.half_width > 0 else abs(shown) / 10
        if not math.isfinite(size) or size == 0 or size >= 1e6 or size < 1e-6:
            return f"{shown:.3g}"
        text = f"{shown:.{max(0, 1 - math.floor(math.log10(size)))}f}"
        if float(text) != 0:
            return text
        return f"{shown:.1g}" if beside_zero else text.removeprefix("-")


UNPAIRED = "; unpaired, by Welch's t: the arms share no seeds"
TIED = "; the change may do nothing, and no more seeds can decide this"


def finding(
    *,
    verdict: Word,
    direction: Direction,
    wording: Wording,
    difference: float,
    interval: tuple[float, float],
    narrow: tuple[float, float],
    p_value: float,
    adjusted_p: float,
    arms: int,
    n: int,
    generalises: str,
    margin: float,
    alpha: float,
    identical: bool,
    next_step: str,
) -> str:
    """Say what was found out about the difference over *n* pairs (three or more)."""
    over = f", for {generalises}"
    if identical:
        return f"{verdict}: both arms gave identical results on all {n} seeds{next_step}"
    if difference == 0 and math.isnan(interval[0]):
        return f"{verdict}: both arms gave the same score on all {n} seeds, so there is no interval{over}{next_step}"

    def within(ends: tuple[float, float], level: float) -> str:
        if math.isnan(ends[0]):
            return f"(the same on all {n} seeds, so there is no interval)"
        # "worse by 1.2 (0.4 to 2.0)": the interval has the sign of the amount before it.
        ends = (-ends[1], -ends[0]) if verdict in ("better", "worse") and difference < 0 else ends
        apart = verdict in ("better", "worse") and ends[0] * ends[1] > 0
        low, high = (wording.number(end, beside_zero=apart) for end in ends)
        return f"({100 * level:.10g} % interval {low} to {high}, n = {n} seeds)"

    if verdict == "equivalent":
        return (
            f"equivalent: the difference of {wording.amount(difference)} {within(narrow, 1 - 2 * alpha)} is smaller "
            f"than the {wording.mattering(margin)}{over}"
        )
    ends = within(interval, 1 - alpha)
    if verdict == "undecided":
        text = f"undecided: the difference is {wording.amount(difference)} {ends}{over}"
        if p_value <= alpha < adjusted_p:
            bare = math.isnan(interval[0])
            alone = f"for this arm alone p = {p_value:.2g}" if bare else "the interval is for this arm alone"
            text += f"; {alone}, and with {arms} arms to compare p = {adjusted_p:.2g}"
        return text + next_step
    text = f"{verdict} by {wording.amount(abs(difference))} {ends}{over}"
    if direction == "min":
        text += "; a lower value is better"
    bare = math.isnan(interval[0])
    near = abs(difference) if bare else min(map(abs, interval))
    if near < margin and not math.isclose(near, margin):
        text += f"; the difference {'is' if bare else 'may be'} smaller than the {wording.mattering(margin)}"
    return text


def too_few(n: int, more_seconds: float | None, failed: int, last: int | None, *, spent: bool, lost: bool) -> str:
    """Say what is missing below three pairs: seeds, or first that what *failed* is mended.

    *last* is the planned maximum where it leaves too few of them; *spent*, none. *lost* is where some seeds diverged.
    """
    have = "no seed that both arms completed" if n == 0 else f"{n} seed{'s' if n > 1 else ''}"
    more = MIN_PAIRS - n
    if failed >= more:
        return f"undecided: nothing can be concluded from {have}; mend the error, then run the failed trials again"
    if last is not None:
        left = "are spent" if spent else "leave too few"
        return f"undecided: nothing can be concluded from {have}; the planned {last} seeds {left}"
    return (
        f"undecided: nothing can be concluded from {have}; "
        f"{more} more seed{'s' if more > 1 else ''}{' that both arms complete' if lost else ''} would give a first "
        f"interval{_cost(more_seconds)}"
    )


def what_next(
    more_seeds: int | None, more_seconds: float | None, last: int | None, spent: bool, chance: float, examples: bool
) -> str:
    """Say what would decide an undecided arm; *chance* is that of a decision at the *last* planned look.

    *spent* is where no planned seed is left, whatever came of them.
    """
    given = "if the difference is as observed,"
    if more_seeds is not None:
        about = more_seeds if more_seeds < 100 else round(more_seeds, -1)
        return (
            f"; {given} about {about} more seed{'s' if more_seeds > 1 else ''} would decide this{_cost(more_seconds)}"
        )
    if spent:
        return f"; the planned {last} seeds are spent"
    if math.isnan(chance):
        return ""
    if last is not None:
        percent = f"about {round(100 * chance, -1):.0f} %" if chance >= 0.05 else "less than 5 %"
        return f"; {given} the planned {last} seeds would decide this with a chance of {percent}"
    return f"; {given} 1000 more seeds would not decide this" + (", a larger test set might" if examples else "")


def identical(examples: int, margin: float, level: float, wording: Wording) -> str:
    r"""Say what would show that arms with identical results are equivalent, which no more seeds would.

    They are where :math:`(1 - m)^E \le` *level*, with m the *margin* and E the number of test *examples*: either may
    grow.
    """
    text = ", so the change may do nothing; no more seeds can decide this"
    if level <= 0:
        return text
    least = -math.expm1(math.log(level) / examples)
    step = 10.0 ** (math.floor(math.log10(least)) - 1)
    ways = [f"a margin of at least {wording.scale * step * math.ceil(least / step):.2g} {wording.unit}".rstrip()]
    if 0 < margin < 1:
        ways.insert(0, f"a test set of {math.ceil(math.log(level) / math.log1p(-margin))} examples (now {examples})")
    return f"{text}; {' or '.join(ways)} would, were they identical again"


def diverges(arm: int, control: int, shared: int) -> str:
    """Say that divergence is the finding."""
    return f"diverges: {arm} of {shared} seeds diverged, against {control} of {shared} of the control"


def lonely(shared: int, more_seeds: int, more_seconds: float | None) -> str:
    """Say that the arm diverged on all *shared* seeds and the control on none, which are too few for a finding."""
    have = "its only seed" if shared == 1 else f"all {shared} seeds"
    more = f"{more_seeds} more seed{'s' if more_seeds > 1 else ''}"
    return (
        f"undecided: this arm diverged on {have} and the control on none; {more} like that would be a finding"
        + _cost(more_seconds)
    )


def cured(arm: int, control: int, shared: int) -> str:
    """Say that it is the control that diverges more often."""
    return f"; the control diverges more often: on {control} of {shared} seeds, against {arm} of {shared} of this arm"


def hopeless(arm: int, control: int, shared: int) -> str:
    """Say that nothing pairs, and why more seeds would not mend it."""
    lost = ((arm, "this arm"), (control, "the control"))
    whose = " and ".join(name for count, name in lost if count == shared)
    return f"undecided: {whose} diverged on all {shared} seeds, so there is no difference to estimate on any"


def warnings(
    *, diverged: int, control_diverged: int, failed: int, confounded: bool, apart: bool, estimated: bool
) -> str:
    """Say what the reader must know besides, each part after a semicolon.

    *apart* is where the arms diverged on different seeds, so that they are never equivalent; *estimated*, where there
    is a difference.
    """
    parts = []
    if diverged or control_diverged:
        counts = [f"{count} of {whose}" for count, whose in ((diverged, "this arm"), (control_diverged, "the control"))]
        holds = ", so the difference holds only for seeds on which both arms complete" if estimated else ""
        unlike = ", and the arms cannot be called equivalent" if estimated and apart else ""
        parts.append(f"trials that diverged: {' and '.join(counts)}; they have no score{holds}{unlike}")
    if failed:
        parts.append(f"{failed} trial{'s' if failed > 1 else ''} failed and {'are' if failed > 1 else 'is'} missing")
    if confounded:
        parts.append("confounded: more than one declared change, so the cause is not known")
    return "".join(f"; {part}" for part in parts)


def _cost(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or unit == "second":
            amount = max(1, round(seconds / size))
            return f", {amount} {unit}{'s' if amount > 1 else ''}"
    raise AssertionError("the loop returns for seconds")
