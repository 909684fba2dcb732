"""The verdicts of a whole study: each arm against the control, adjusted for their number."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from paribus.analysis import pairs, power, sentence, significance
from paribus.analysis.comparison import Findings, method_name, word
from paribus.analysis.intervals import Estimate, Floats
from paribus.analysis.looks import MIN_PAIRS, ONCE, EverySeed, Looks
from paribus.analysis.pairs import Generalise, Pairs
from paribus.analysis.scores import ArmScores, is_percentage, is_share
from paribus.analysis.verdict import Direction, Verdict, Word
from paribus.errors import ConfigError
from paribus.spec.study import check_design


def judge(
    control: ArmScores,
    arms: Sequence[ArmScores],
    *,
    direction: Direction,
    margin: float,
    alpha: float,
    max_n: int | None = None,
    generalise: Generalise = "auto",
    metric: str = "",
    or_unpaired: bool = False,
) -> tuple[Verdict, ...]:
    """Judge each arm against *control* on the seeds that both completed.

    The chance that any arm gets a false ``better`` or ``worse`` is at most *alpha*, and likewise that any gets a false
    ``equivalent``: both families of p-values are adjusted by Holm's procedure over the arms.

    Args:
        direction: whether a higher (``max``) or a lower (``min``) metric is better.
        margin: the smallest difference that matters; zero never says ``equivalent``.
        alpha: rate of false verdicts, in [0.0001, 0.5).
        max_n: planned maximum of seeds of a study that is looked at along the way, after every seed if one likes;
            None for one look at a number of seeds fixed beforehand.
        generalise: to new seeds on this test set, or to new examples too; ``auto`` chooses the latter wherever every
            paired trial has its outcome on each example.
        metric: the metric's name, for the sentences: an accuracy is written in points.
        or_unpaired: whether an arm that shares no seed with the control is judged on all scores of both, by Welch's t;
            else there is nothing to say of it.

    Raises:
        ConfigError: two arms of one name, a margin or alpha out of range, more seeds than planned.
        DataError: ``generalise="examples"`` without the outcomes that it needs.
    """
    names = Counter(arm.name for arm in arms)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ConfigError(f"two arms are called {twice[0]!r}; give each arm of a study a name of its own")
    matches = [(control, arm) for arm in arms]
    return judge_pairs(
        matches,
        direction=direction,
        margin=margin,
        alpha=alpha,
        max_n=max_n,
        generalise=generalise,
        metric=metric,
        or_unpaired=or_unpaired,
    )


def judge_pairs(
    matches: Sequence[tuple[ArmScores, ArmScores]],
    *,
    direction: Direction,
    margin: float,
    alpha: float,
    max_n: int | None = None,
    generalise: Generalise = "auto",
    metric: str = "",
    or_unpaired: bool = False,
) -> tuple[Verdict, ...]:
    """Judge the second arm of each match against the first, adjusted for the number of matches; see :func:`judge`."""
    check_design(margin, alpha)
    looks: Looks = ONCE if max_n is None else EverySeed(max_n)
    share = is_share(metric, (score for match in matches for arm in match for score in arm.scores.values()))
    points = 100.0 if share else 1.0 if is_percentage(metric) else None
    if not metric and any(arm.correct for match in matches for arm in match):
        points = 100.0
    cases = [
        _Case(pairs.pair(control, arm, generalise, or_unpaired=or_unpaired), control, arm, margin, alpha, looks, points)
        for control, arm in matches
    ]
    adjusted = significance.holm([case.tests.p_value if case.tests else math.nan for case in cases])
    equivalence = significance.holm([case.tests.equivalence_p if case.tests else math.nan for case in cases])
    return tuple(
        case.verdict(p, equivalence_p, direction=direction, arms=len(cases))
        for case, p, equivalence_p in zip(cases, adjusted, equivalence, strict=True)
    )


class _Case:
    """One arm against its control before the adjustment for the number of arms."""

    def __init__(
        self,
        partners: Pairs,
        control: ArmScores,
        arm: ArmScores,
        margin: float,
        alpha: float,
        looks: Looks,
        points: float | None,
    ) -> None:
        self.control, self.arm, self.margin, self.alpha, self.looks = control, arm, margin, alpha, looks
        self.pairs = partners
        self.points = points
        """How many points one of the metric's units is; ``None`` where it is not shown in points."""
        self.n = partners.n
        self.apart = partners.arm_only + partners.control_only > 0
        """Whether one diverged where the other did not: seeds that completed cannot show then that they are alike."""
        self.reachable_margin = 0.0 if self.apart else margin
        self.estimate: Estimate | None = None
        self.tests: Findings | None = None
        if self.n >= MIN_PAIRS:
            self.estimate = self.pairs.estimate()
            self.tests = Findings.of(self.estimate, self.n, margin=margin, alpha=alpha, looks=looks)

    def verdict(self, adjusted_p: float, equivalence_p: float, *, direction: Direction, arms: int) -> Verdict:
        c, t = self.pairs.control, self.pairs.treated
        difference = self.estimate.difference if self.estimate else float(t.mean() - c.mean()) if self.n else math.nan
        chosen: Word = "undecided"
        arm_only, control_only = self.pairs.arm_only, self.pairs.control_only
        level, shared = self.alpha / arms, self.pairs.shared
        cured = diverges_more(control_only, arm_only, shared, alpha=level, looks=self.looks)
        if diverges_more(arm_only, control_only, shared, alpha=level, looks=self.looks):
            chosen = "diverges"
        elif self.tests:
            equivalence_p = 1.0 if self.apart else equivalence_p
            chosen = word(difference, adjusted_p, equivalence_p, alpha=self.alpha, direction=direction)
        more_seeds = self._more_seeds(chosen, arms)
        pair_seconds = _sum(self.control.seconds, self.arm.seconds)
        more_seconds = None if more_seeds is None or pair_seconds is None else more_seeds * pair_seconds
        text = self._finding(chosen, adjusted_p, direction, arms, more_seeds, more_seconds, cured)
        return Verdict(
            name=self.arm.name,
            n=self.n,
            mean=float(t.mean()) if self.n else math.nan,
            sd=_sd(t),
            control_mean=float(c.mean()) if self.n else math.nan,
            difference=difference,
            low=self.tests.low if self.tests else math.nan,
            high=self.tests.high if self.tests else math.nan,
            p_value=self.tests.p_value if self.tests else math.nan,
            adjusted_p=adjusted_p,
            verdict=chosen,
            diverged=len(self.arm.diverged),
            control_diverged=len(self.control.diverged),
            failed=len(self.arm.failed),
            confounded=self.arm.confounded,
            seeds=self.pairs.seeds,
            generalises=self.pairs.generalises,
            method=method_name(self.estimate, self.looks) if self.estimate else f"none below {MIN_PAIRS} seeds",
            permutation_p=self._permutation_p() if self.tests else math.nan,
            correlation=pairs.correlation(c, t) if self.pairs.paired else math.nan,
            variance_ratio=_variance_ratio(c, t) if self.pairs.paired else math.nan,
            seed_sd=self.estimate.seed.se if self.estimate else math.nan,
            example_sd=self._example_sd(),
            more_seeds=more_seeds,
            more_seconds=more_seconds,
            futile=chosen == "undecided" and self._futile(more_seeds),
            sentence=text,
            margin=self.margin,
            alpha=self.alpha,
        )

    def _permutation_p(self) -> float:
        c, t = self.pairs.control, self.pairs.treated
        return significance.sign_flip(t - c) if self.pairs.paired else significance.label_permutation(c, t)

    def _example_sd(self) -> float:
        if self.estimate is None or self.pairs.examples is None:
            return math.nan
        return self.estimate.example.se if self.estimate.example else 0.0

    def _more_seeds(self, chosen: Word, arms: int) -> int | None:
        if chosen != "undecided":
            return 0
        if self.estimate is None:
            lonely, left = self._lonely(arms), self._left
            missing = lonely or MIN_PAIRS - self.n
            none = self.pairs.hopeless and not lonely
            return None if none or (left is not None and left < missing) else missing
        level = self.alpha / arms
        pairs = power.more_pairs(
            self.estimate, self.n, margin=self.reachable_margin, alpha=level, looks=self.looks, most=self._reach
        )
        if pairs is None:
            return None
        seeds = math.ceil(pairs / self._yield)
        return seeds if self._left is None else min(seeds, self._left)

    def _lonely(self, arms: int) -> int:
        """After how many seeds more it would be a finding that the arm alone diverged on all; 0 where it did not."""
        shared = self.pairs.shared
        if not shared or self.pairs.arm_only < shared:
            return 0
        enough = (n for n in itertools.count(MIN_PAIRS) if significance.all_against_none(n) <= self.alpha / arms)
        return max(0, next(enough) - shared)

    @property
    def _left(self) -> int | None:
        """Planned seeds still to come: one that diverged is spent, one that failed may be run again."""
        return None if self.looks.last is None else max(0, self.looks.last - max(self.n, self.pairs.shared))

    @property
    def _yield(self) -> float:
        """Pairs that a seed gives: fewer than one where some diverge."""
        return self.n / self.pairs.shared if self.pairs.paired and self.pairs.shared else 1.0

    @property
    def _reach(self) -> int | None:
        """About how many pairs the planned seeds will have given."""
        return None if self._left is None else self.n + round(self._left * self._yield)

    @property
    def _identical(self) -> bool:
        return self.estimate is not None and self.estimate.agree > 0

    @property
    def _tied(self) -> bool:
        """Whether scores that differ from seed to seed are the same in both arms, which chance does not bring about."""
        scores = self.pairs.control
        same = self.pairs.paired and bool(np.array_equal(scores, self.pairs.treated))
        return same and self.pairs.examples is None and self.n >= MIN_PAIRS and len(np.unique(scores)) == self.n

    def _futile(self, more_seeds: int | None) -> bool:
        """Whether no further seed can decide: none will pair, or identical arms remain too few examples to tell."""
        if self._identical or self._tied:
            return not self.apart and more_seeds is None
        never = self.pairs.control_only + self.pairs.both == self.pairs.shared
        return never and self.pairs.hopeless and more_seeds is None

    def _next_step(self, more_seeds: int | None, more_seconds: float | None, arms: int) -> str:
        """Say what would decide an arm that is undecided over three or more pairs."""
        assert self.estimate is not None
        chance, then = math.nan, self._reach or self.n + power.HORIZON
        level = self.alpha / arms
        if self._tied and self._futile(more_seeds):
            return sentence.TIED
        if self._identical and self._futile(more_seeds):
            assert self.pairs.examples is not None
            nominal = self.looks.level(level, then, 1)
            return sentence.identical(self.pairs.examples.shape[1], self.margin, nominal, self._wording(math.nan))
        if self.estimate.seed.se > 0:
            chance = power.chance(
                self.estimate, self.n, then, margin=self.reachable_margin, alpha=level, looks=self.looks
            )
        spent, examples = self._left == 0, self.pairs.examples is not None
        return sentence.what_next(more_seeds, more_seconds, self.looks.last, spent, chance, examples)

    def _finding(
        self,
        chosen: Word,
        adjusted_p: float,
        direction: Direction,
        arms: int,
        more_seeds: int | None,
        more_seconds: float | None,
        cured: bool,
    ) -> str:
        partners = self.pairs
        arm_lost, control_lost = partners.arm_only + partners.both, partners.control_only + partners.both
        lonely = self._lonely(arms) > 0 and chosen == "undecided"
        told = chosen == "diverges" or lonely or (partners.hopeless and self.tests is None)
        caution = sentence.warnings(
            diverged=0 if told else len(self.arm.diverged),
            control_diverged=0 if told else len(self.control.diverged),
            failed=len(self.arm.failed),
            confounded=self.arm.confounded,
            apart=self.apart and self.margin > 0,
            estimated=self.tests is not None,
        )
        if cured:
            caution = sentence.cured(arm_lost, control_lost, partners.shared) + caution
        if chosen == "diverges":
            return sentence.diverges(arm_lost, control_lost, partners.shared) + caution
        if lonely and more_seeds is not None:
            return sentence.lonely(partners.shared, more_seeds, more_seconds) + caution
        if told:
            return sentence.hopeless(arm_lost, control_lost, partners.shared) + caution
        if self.tests is None or self.estimate is None:
            failed = len(set(self.arm.failed) | set(self.control.failed))
            last = self.looks.last if more_seeds is None else None
            some = arm_lost + control_lost > 0
            return sentence.too_few(self.n, more_seconds, failed, last, spent=self._left == 0, lost=some) + caution
        half_width = self.tests.high - self.estimate.difference
        narrow = self.estimate.half_width(self.looks.level(self.alpha, self.n, 1) * 2)
        text = sentence.finding(
            verdict=chosen,
            direction=direction,
            wording=self._wording(half_width),
            difference=self.estimate.difference,
            interval=(self.tests.low, self.tests.high),
            narrow=(self.estimate.difference - narrow, self.estimate.difference + narrow),
            p_value=self.tests.p_value,
            adjusted_p=adjusted_p,
            arms=arms,
            n=self.n,
            generalises=partners.generalises,
            margin=self.margin,
            alpha=self.alpha,
            identical=self._identical,
            next_step=self._next_step(more_seeds, more_seconds, arms) if chosen == "undecided" else "",
        )
        return text + ("" if partners.paired else sentence.UNPAIRED) + caution

    def _wording(self, half_width: float) -> sentence.Wording:
        return sentence.Wording(half_width, *(() if self.points is None else (self.points, "points")))


def diverges_more(one_only: int, other_only: int, shared: int, *, alpha: float, looks: Looks) -> bool:
    """Return whether one side diverges so much more often than the other that this is a finding.

    It is where a one-sided exact McNemar test says so at a rate of error of *alpha* (five seeds against none at 0.05).
    It is too where one side diverged in all seeds and the other in none, and that is rarer than *alpha*
    (:func:`significance.all_against_none`; three seeds at 0.05): there is no difference to estimate then. With so few
    seeds that this says something new the first test cannot say anything, so both together err no more often than one.

    Args:
        one_only, other_only: seeds in which only that side diverged, of the *shared* ones in which both ended.
    """
    if shared < MIN_PAIRS:
        return False
    if one_only == shared and significance.all_against_none(shared) <= alpha:
        return True
    return looks.adjust(significance.more_divergences(one_only, other_only), shared, 1) <= alpha


def _sd(scores: Floats) -> float:
    return float(scores.std(ddof=1)) if len(scores) > 1 else math.nan


def _variance_ratio(control: Floats, treated: Floats) -> float:
    if len(control) < MIN_PAIRS or (treated - control).std() == 0:
        return math.nan
    return float((control.var(ddof=1) + treated.var(ddof=1)) / (treated - control).var(ddof=1))


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
