from __future__ import annotations

import dataclasses
import json
import math
import re

import numpy as np
import pytest

from paribus.analysis import ArmScores, Verdict, compare, judge
from paribus.analysis.intervals import crossed
from paribus.analysis.sentence import Wording
from paribus.errors import ConfigError, DataError

RNG = np.random.default_rng(7)
SEEDS = range(8)
CONTROL = ArmScores(name="base", scores={s: float(0.80 + 0.01 * RNG.standard_normal()) for s in SEEDS}, seconds=20.0)


def arm(name: str = "arm", shift: float = 0.0, noise: float = 0.005, seeds: range = SEEDS, **fields) -> ArmScores:
    rng = np.random.default_rng(len(name))
    scores = {s: CONTROL.scores.get(s, 0.8) + shift + noise * float(rng.standard_normal()) for s in seeds}
    return ArmScores(
        name=name, scores={s: x for s, x in scores.items() if s not in fields.get("diverged", ())}, **fields
    )


def one(scores: ArmScores, control: ArmScores = CONTROL, **design) -> Verdict:
    return judge(control, [scores], **{"direction": "max", "margin": 0.0, "alpha": 0.05, **design})[0]


def test_a_verdict_says_what_compare_says() -> None:
    treated = arm(shift=0.02)
    verdict = one(treated)
    plain = compare([CONTROL.scores[s] for s in SEEDS], [treated.scores[s] for s in SEEDS])
    for field in ("difference", "low", "high", "p_value", "verdict", "n", "permutation_p", "correlation", "method"):
        assert getattr(verdict, field) == getattr(plain, field), field
    assert verdict.adjusted_p == verdict.p_value
    assert verdict.seeds == tuple(SEEDS)
    assert verdict.mean - verdict.control_mean == pytest.approx(verdict.difference)
    assert verdict.sd == pytest.approx(np.std(list(treated.scores.values()), ddof=1))
    assert verdict.seed_sd == pytest.approx(plain.sd / math.sqrt(8))
    assert math.isnan(verdict.example_sd)
    assert verdict.more_seeds == 0


def test_the_direction_turns_better_into_worse() -> None:
    assert one(arm(shift=0.02)).verdict == "better"
    assert one(arm(shift=0.02), direction="min").verdict == "worse"
    assert one(arm(shift=-0.02), direction="min").verdict == "better"
    assert one(arm(shift=0.02), direction="min", margin=0.1).verdict == "equivalent"


def test_holm_decides_where_the_interval_of_one_arm_would_not() -> None:
    arms = [arm("x" * k, shift=0.0055 if k == 1 else 0.0, noise=0.006) for k in range(1, 9)]
    verdicts = judge(CONTROL, arms, direction="max", margin=0.0, alpha=0.05)
    split = [v for v in verdicts if v.p_value <= 0.05 < v.adjusted_p]
    assert split
    for verdict in split:
        assert verdict.verdict == "undecided"
        assert not verdict.low <= 0 <= verdict.high
        assert "with 8 arms to compare" in verdict.sentence


def test_equivalence_is_adjusted_too() -> None:
    margin = 0.0058
    alone = one(arm("xx", noise=0.006), margin=margin)
    many = judge(CONTROL, [arm("xx", noise=0.006)] + [arm("y" * k, noise=0.03) for k in range(3, 9)],
                 direction="max", margin=margin, alpha=0.05)[0]  # fmt: skip
    assert (alone.verdict, many.verdict) == ("equivalent", "undecided")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_below_three_pairs_it_says_what_the_next_seeds_cost(n: int) -> None:
    verdict = one(arm(shift=0.5, seeds=range(n), seconds=100.0), margin=1.0)
    assert (verdict.verdict, verdict.n, verdict.more_seeds) == ("undecided", n, 3 - n)
    assert verdict.more_seconds == (3 - n) * 120.0
    assert all(math.isnan(x) for x in (verdict.low, verdict.high, verdict.p_value, verdict.adjusted_p))
    assert "nothing can be concluded" in verdict.sentence
    assert f"{2 * (3 - n)} minutes" in verdict.sentence


def test_undecided_says_what_would_decide() -> None:
    verdict = one(arm(shift=0.012, noise=0.012, seconds=40.0))
    assert verdict.verdict == "undecided"
    assert verdict.more_seeds is not None
    assert verdict.more_seconds == verdict.more_seeds * 60.0
    assert f"about {verdict.more_seeds} more seeds would decide this, {verdict.more_seeds} minutes" in verdict.sentence
    assert "; if the difference is as observed, about" in verdict.sentence
    spent = one(arm(shift=0.003, noise=0.006), max_n=8)
    assert spent.more_seeds is None
    assert "planned 8 seeds are spent" in spent.sentence


def graded(name: str, *rows: str) -> ArmScores:
    """An arm of which each row of 0 and 1 tells what a seed got right."""
    correct = {seed: np.array([mark == "1" for mark in row]) for seed, row in enumerate(rows)}
    return ArmScores(name=name, scores={seed: float(x.mean()) for seed, x in correct.items()}, correct=correct)


def test_identical_outcomes_are_equivalent_and_equal_scores_are_not() -> None:
    control, rows = graded("base", *["0011" * 20] * 4), ["0011" * 20] * 4
    same = one(graded("same", *rows), control=control, margin=0.05)
    assert (same.verdict, same.sentence) == (
        "equivalent",
        "equivalent: both arms gave identical results on all 4 seeds",
    )
    other = graded("other", *["1100" * 20] * 4)  # right on as many examples, and on none of the same
    for verdict in (one(other, control=control, margin=0.05), one(other, control=control)):
        assert (verdict.verdict, verdict.p_value, verdict.more_seeds) == ("undecided", 1.0, None)
        assert verdict.sentence.startswith(
            "undecided: both arms gave the same score on all 4 seeds, so there is no int"
        )


@pytest.mark.parametrize("max_n", [None, 30])
@pytest.mark.parametrize("margin", [0.0, 0.01])
def test_of_identical_arms_it_says_what_would_decide(margin: float, max_n: int | None) -> None:
    def of(examples: int, margin: float, seeds: int = 4) -> Verdict:
        rows = ["01" * (examples // 2) + "1" * (examples % 2)] * seeds
        design = {"margin": margin, "max_n": max_n, "metric": "accuracy"}
        return one(graded("same", *rows), control=graded("base", *rows), **design)

    small = of(100, margin)
    assert (small.verdict, small.more_seeds, small.futile) == ("undecided", None, True)
    start = "undecided: both arms gave identical results on all 4 seeds, so the change may do nothing; no more seeds "
    assert small.sentence.startswith(start + "can decide this; a ")
    assert small.sentence.endswith(" points would, were they identical again")
    least = float(re.search(r"margin of at least ([0-9.]+) points", small.sentence)[1]) / 100
    at_last = max_n or 4  # under a plan the last look is the one that identical arms may wait for
    assert of(100, least, at_last).verdict == "equivalent"
    assert of(100, least * 0.9, at_last).verdict == "undecided"
    asked = re.search(r"a test set of ([0-9]+) examples \(now 100\)", small.sentence)
    assert (asked is None) == (margin == 0)
    if asked is not None:
        assert of(int(asked[1]), margin, at_last).verdict == "equivalent"
        assert of(int(asked[1]) - 1, margin, at_last).verdict == "undecided"


def test_scores_that_tie_seed_by_seed_need_no_more_seeds_and_those_of_success_do() -> None:
    twin = one(arm(noise=0.0), margin=0.01)
    assert (twin.verdict, twin.futile) == ("undecided", True)
    assert twin.sentence == (
        "undecided: both arms gave the same score on all 8 seeds, so there is no interval, for new seeds on this test "
        "set; the change may do nothing, and no more seeds can decide this"
    )
    solved = [ArmScores(name=name, scores={0: 1.0, 1: 1.0, 2: 0.0, 3: 1.0}) for name in ("base", "arm")]
    assert not one(solved[1], control=solved[0], margin=0.01).futile
    assert not one(graded("b", *["1100"] * 3), control=graded("a", *["0011"] * 3), margin=0.01).futile


def test_identical_arms_wait_where_a_later_look_decides_or_divergence_may() -> None:
    rows = ["0011" * 40] * 4
    waits = one(graded("same", *rows), control=graded("base", *rows), margin=0.03, max_n=30)
    assert (waits.verdict, waits.futile) == ("undecided", False)
    assert waits.more_seeds is not None
    lost = dataclasses.replace(graded("same", *rows), diverged=(4,))
    shaky = one(lost, control=graded("base", *rows, rows[0]), margin=0.5)
    assert (shaky.verdict, shaky.futile) == ("undecided", False)


@pytest.mark.parametrize(("n", "word"), [(3, "undecided: the difference is"), (6, "better by")])
def test_a_difference_without_spread_has_no_interval(n: int, word: str) -> None:
    control = ArmScores(name="base", scores=dict.fromkeys(range(n), 0.5))
    verdict = one(ArmScores(name="arm", scores=dict.fromkeys(range(n), 0.51)), control=control, metric="accuracy")
    assert math.isnan(verdict.low)
    assert math.isnan(verdict.high)
    assert verdict.sentence.startswith(f"{word} 1.00 points (the same on all {n} seeds, so there is no interval)")


@pytest.mark.parametrize(
    ("margin", "said"), [(0.2, "; the difference is smaller than the 20.0 points that matter"), (0.1, "")]
)
def test_a_difference_without_spread_is_held_against_the_margin_itself(margin: float, said: str) -> None:
    control = ArmScores(name="base", scores=dict.fromkeys(range(6), 0.5))
    lifted = ArmScores(name="arm", scores=dict.fromkeys(range(6), 0.6))
    verdict = one(lifted, control=control, metric="accuracy", margin=margin)
    assert verdict.sentence.endswith(
        f"points (the same on all 6 seeds, so there is no interval), for new seeds on this test set{said}"
    )


def test_one_point_is_one() -> None:
    wide = Wording(12.0, 1.0, "points")
    assert [wide.amount(value) for value in (1.0, 2.0)] == ["1 point", "2 points"]
    assert [wide.mattering(value) for value in (1.0, 2.0)] == ["1 point that matters", "2 points that matter"]


def test_without_an_interval_none_is_spoken_of_beside_other_arms() -> None:
    control = ArmScores(name="base", scores=dict.fromkeys(range(6), 0.5))
    arms = [ArmScores(name=name, scores=dict.fromkeys(range(6), score)) for name, score in (("a", 0.51), ("b", 0.52))]
    verdict, _ = judge(control, arms, direction="max", margin=0.0, alpha=0.05)
    assert verdict.verdict == "undecided"
    assert (
        "(the same on all 6 seeds, so there is no interval), for new seeds on this test set; for this arm alone p = "
        "0.031, and with 2 arms to compare p = 0.062" in verdict.sentence
    )


@pytest.mark.parametrize(("alpha", "level"), [(0.05, "95"), (0.005, "99.5"), (1e-3, "99.9"), (1e-4, "99.99")])
def test_an_interval_names_its_whole_level_and_is_finite(alpha: float, level: str) -> None:
    for max_n in (None, 8):
        arms = [arm("x" * k, shift=0.02) for k in range(1, 40)]
        for verdict in judge(CONTROL, arms, direction="max", margin=0.0, alpha=alpha, max_n=max_n):
            assert f"({level} % interval " in verdict.sentence
            assert math.isfinite(verdict.low)
            assert math.isfinite(verdict.high)
            assert "inf" not in verdict.sentence
            assert "nan" not in verdict.sentence


def test_divergence_of_every_seed_is_the_finding() -> None:
    verdict = one(ArmScores(name="hot", scores={}, diverged=(0, 1, 2)))
    assert (verdict.verdict, verdict.diverged, verdict.n) == ("diverges", 3, 0)
    assert "3 of 3 seeds diverged, against 0 of 3 of the control" in verdict.sentence
    two = one(ArmScores(name="hot", scores={}, diverged=(0, 1)))
    assert (two.verdict, two.more_seeds) == ("undecided", 1)
    assert "diverged on all 2 seeds and the control on none; 1 more seed like that would be a finding" in two.sentence
    first = one(ArmScores(name="hot", scores={}, diverged=(0,)))
    assert (first.verdict, first.more_seeds) == ("undecided", 2)
    assert "diverged on its only seed" in first.sentence
    both = ArmScores(name="base", scores={}, diverged=(0, 1))
    assert one(ArmScores(name="hot", scores={}, diverged=(0, 1)), control=both).verdict == "undecided"


def test_divergence_of_every_seed_of_one_arm_of_many_takes_another_seed() -> None:
    for seeds, said in ((3, "undecided"), (4, "diverges")):
        others = [arm("x" * k) for k in range(1, 8)]
        hot = ArmScores(name="hot", scores={}, diverged=tuple(range(seeds)))
        verdict = judge(CONTROL, [hot, *others], direction="max", margin=0.0, alpha=0.05)[0]
        assert (verdict.verdict, verdict.more_seeds) == (said, 1 if said == "undecided" else 0)
    spent = judge(CONTROL, [hot], direction="max", margin=0.0, alpha=1e-4, max_n=4)[0]
    assert (spent.verdict, spent.more_seeds) == ("undecided", None)
    assert "this arm diverged on all 4 seeds, so there is no difference to estimate" in spent.sentence


def halves(name: str, diverged: int, n: int = 16) -> ArmScores:
    scores = {s: 0.8 + 0.001 * (-1) ** (s + len(name) // 2) for s in range(diverged, n)}
    return ArmScores(name=name, scores=scores, diverged=tuple(range(diverged)))


@pytest.mark.parametrize("max_n", [None, 20])
def test_an_arm_that_cures_divergence_is_not_equivalent(max_n: int | None) -> None:
    design = {"margin": 0.1, "max_n": max_n}
    assert one(halves("arm", 0), control=halves("base", 0), **design).verdict == "equivalent"
    cured = one(halves("arm", 0), control=halves("base", 8), **design)
    assert cured.verdict == "undecided"
    assert "the control diverges more often: on 8 of 16 seeds, against 0 of 16 of this arm" in cured.sentence
    assert cured.more_seeds is None  # the margin cannot decide it, and of a difference there is no sign
    assert one(halves("base", 8), control=halves("arm", 0), **design).verdict == "diverges"


def test_arms_that_diverge_on_different_seeds_are_never_equivalent() -> None:
    def shaky(name: str, *diverged: int) -> ArmScores:
        return arm(name, noise=0.0005, diverged=diverged)

    def against(lost: ArmScores, control: ArmScores) -> Verdict:
        return one(lost, control=control, margin=0.05)

    assert against(shaky("arm", 2, 5), shaky("base", 2, 5)).verdict == "equivalent", "they diverge alike"
    for lost, control in (((2, 5), ()), ((), (2,)), ((1, 2), (2, 3))):
        verdict = against(shaky("arm", *lost), shaky("base", *control))
        assert verdict.verdict == "undecided"
        assert (
            f"trials that diverged: {len(lost)} of this arm and {len(control)} of the control; they have no score, so "
            "the difference holds only for seeds on which both arms complete, and the arms cannot be called equivalent"
        ) in verdict.sentence
    alone = one(shaky("arm", 2, 5), margin=0.0)
    assert "equivalent" not in alone.sentence, "without a margin nothing is"


def test_without_a_difference_none_is_spoken_of_where_seeds_diverged() -> None:
    def hot(name: str, *diverged: int, n: int = 1) -> ArmScores:
        return ArmScores(name=name, scores={s: 0.5 for s in range(n) if s not in diverged}, diverged=diverged)

    for lost, control, counts in (
        (hot("arm", 0), hot("base", 0), "1 of this arm and 1"), (hot("arm"), hot("base", 0), "0 of this arm and 1"),
    ):  # fmt: skip
        assert one(lost, control=control, margin=0.1).sentence == (
            "undecided: nothing can be concluded from no seed that both arms completed; 3 more seeds that both arms "
            f"complete would give a first interval; trials that diverged: {counts} of the control; they have no score"
        )
    some = one(hot("arm", 1, n=3), control=hot("base", n=3)).sentence
    assert "; 1 more seed that both arms complete would give a first interval; " in some
    assert some.endswith("they have no score")


def test_a_forecast_counts_seeds_that_diverged_as_spent() -> None:
    lost = arm(shift=0.004, noise=0.006, diverged=(1, 6))
    ended = one(lost, max_n=8)
    assert (ended.verdict, ended.n, ended.more_seeds) == ("undecided", 6, None)
    assert "; the planned 8 seeds are spent; trials that diverged: 2 of this arm" in ended.sentence
    assert "the planned 9 seeds would decide this with a chance of" in one(lost, max_n=9).sentence
    few = one(arm(diverged=(0, 1, 2, 5, 6, 7)), max_n=8, alpha=0.01)
    assert (few.verdict, few.n, few.more_seeds) == ("undecided", 2, None)
    assert few.sentence.startswith(
        "undecided: nothing can be concluded from 2 seeds; the planned 8 seeds are spent; trials that diverged: 6"
    )


def test_where_some_seeds_diverge_more_of_them_are_needed() -> None:
    rare = {0: 0.01, 1: 0.03, 2: -0.01, 3: 0.02}
    control = ArmScores(name="base", scores=dict.fromkeys(range(8), 0.5))
    whole = one(ArmScores(name="arm", scores={s: 0.5 + d for s, d in rare.items()}), control=control)
    half = ArmScores(name="arm", scores={s: 0.5 + d for s, d in rare.items()}, diverged=(4, 5, 6, 7))
    assert whole.more_seeds is not None
    assert one(half, control=control).more_seeds == 2 * whole.more_seeds
    planned = one(half, control=control, max_n=16)
    assert (planned.verdict, planned.more_seeds) == ("undecided", None), "eight more seeds give but four pairs"
    assert "the planned 16 seeds would decide this with a chance of about" in planned.sentence


def test_where_nothing_ever_pairs_no_more_seeds_are_asked_for() -> None:
    gone = one(halves("arm", 0, 10), control=halves("base", 10, 10), margin=0.1)
    assert (gone.verdict, gone.n, gone.more_seeds) == ("undecided", 0, None)
    assert gone.sentence == (
        "undecided: the control diverged on all 10 seeds, so there is no difference to estimate on any; "
        "the control diverges more often: on 10 of 10 seeds, against 0 of 10 of this arm"
    )
    both = one(halves("arm", 10, 10), control=halves("base", 10, 10))
    assert (both.verdict, both.more_seeds) == ("undecided", None)
    assert "this arm and the control diverged on all 10 seeds" in both.sentence
    assert one(halves("arm", 2, 2), control=halves("base", 2, 2)).more_seeds == 3


def test_a_partly_diverged_arm_is_judged_on_the_rest_and_says_so() -> None:
    verdict = one(arm(shift=0.02, diverged=(1, 4)))
    assert (verdict.verdict, verdict.diverged, verdict.n) == ("better", 2, 6)
    assert verdict.seeds == (0, 2, 3, 5, 6, 7)
    assert "trials that diverged: 2 of this arm and 0 of the control" in verdict.sentence
    often = one(arm(shift=0.02, diverged=(0, 1, 2, 3, 4)))  # 5 of 8 against none: 2^-5 < 0.05
    assert (often.verdict, often.n) == ("diverges", 3)
    twin = arm("twin", shift=0.02, diverged=(0, 1, 2, 3, 4))
    assert judge(CONTROL, [twin, arm("other")], direction="max", margin=0, alpha=0.05)[0].verdict != "diverges"


def test_failed_trials_are_missing_and_counted() -> None:
    verdict = one(arm(seeds=range(5), failed=(5, 6), confounded=True))
    assert (verdict.failed, verdict.n, verdict.diverged, verdict.confounded) == (2, 5, 0, True)
    assert "2 trials failed and are missing" in verdict.sentence
    assert "confounded" in verdict.sentence


def with_outcomes(name: str, p: float, seeds: int = 6) -> ArmScores:
    easy = np.random.default_rng(0).random(300)
    correct = {s: 0.8 * easy + 0.2 * np.random.default_rng((s, len(name))).random(300) < p for s in range(seeds)}
    return ArmScores(name=name, scores={s: float(c.mean()) for s, c in correct.items()}, correct=correct)


def test_both_sources_of_variance_are_shown() -> None:
    control, treated = with_outcomes("base", 0.6), with_outcomes("arm", 0.7)
    d = np.stack([treated.correct[s].astype(int) - control.correct[s] for s in range(6)])
    wide, narrow = one(treated, control=control), one(treated, control=control, generalise="seeds")
    estimate = crossed(d)
    assert estimate.example is not None
    assert (wide.seed_sd, wide.example_sd) == (estimate.seed.se, estimate.example.se)
    assert wide.seed_sd == pytest.approx(narrow.seed_sd)
    assert wide.high - wide.low > narrow.high - narrow.low
    assert (wide.generalises, narrow.generalises) == ("new seeds and new examples", "new seeds on this test set")
    assert wide.sentence.endswith("for new seeds and new examples")
    assert narrow.sentence.endswith("for new seeds on this test set")


def test_sentences_read_as_english() -> None:
    control = ArmScores(name="base", scores={0: 1.0, 1: 1.1, 2: 0.9, 3: 1.0})
    up = ArmScores(name="up", scores={0: 1.5, 1: 1.62, 2: 1.38, 3: 1.5})
    down = ArmScores(name="down", scores={0: 0.5, 1: 0.62, 2: 0.38, 3: 0.5})
    assert one(up, control=control).sentence == (
        "better by 0.500 (95 % interval 0.474 to 0.526, n = 4 seeds), for new seeds on this test set"
    )
    assert one(down, control=control).sentence == (
        "worse by 0.500 (95 % interval 0.474 to 0.526, n = 4 seeds), for new seeds on this test set"
    )
    assert one(down, control=control, margin=0.6).sentence == (
        "equivalent: the difference of -0.500 (90 % interval -0.519 to -0.481, n = 4 seeds) is smaller than the 0.600 "
        "that matter, for new seeds on this test set"
    )
    points = one(with_outcomes("arm", 0.7), control=with_outcomes("base", 0.6)).sentence
    assert points.startswith("better by 1")
    assert " points (95 % interval " in points


def test_a_forecast_is_not_surer_than_its_power() -> None:
    fair = one(arm(shift=0.0135, noise=0.012), max_n=16)
    assert (fair.verdict, fair.more_seeds) == ("undecided", None)
    assert re.search(
        r"if the difference is as observed, the planned 16 seeds .* a chance of about [3-7]0 %", fair.sentence
    )
    none = one(arm(shift=0.0055, noise=0.012), max_n=9)
    assert "with a chance of less than 5 %" in none.sentence
    assert "if the difference is as observed, 1000 more seeds would not" in one(arm(shift=0.0055, noise=0.012)).sentence


@pytest.mark.parametrize(("margin", "said"), [(0.474, False), (0.48, True), (0.51, True)])
def test_the_margin_is_held_against_the_near_end_of_the_interval(margin: float, said: bool) -> None:
    control = ArmScores(name="base", scores={0: 1.0, 1: 1.1, 2: 0.9, 3: 1.0})
    up = ArmScores(name="up", scores={0: 1.5, 1: 1.62, 2: 1.38, 3: 1.5})
    down = ArmScores(name="down", scores={0: 0.5, 1: 0.62, 2: 0.38, 3: 0.5})
    for arm, word in ((up, "better"), (down, "worse")):
        verdict = one(arm, control=control, margin=margin)  # 0.500 (0.474 to 0.526)
        assert verdict.verdict == word
        assert ("may be smaller than" in verdict.sentence) == said


def test_looking_along_the_way_widens_the_interval() -> None:
    fixed, looked = one(arm(shift=0.004)), one(arm(shift=0.004), max_n=20)
    assert looked.high - looked.low > fixed.high - fixed.low
    assert looked.p_value > fixed.p_value
    assert "group-sequential up to 20 seeds" in looked.method
    with pytest.raises(ConfigError, match="at most 5"):
        one(arm(), max_n=5)


def test_json_has_no_nan_and_all_fields() -> None:
    for verdict in (one(arm(shift=0.02)), one(ArmScores(name="none", scores={}))):
        plain = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
        assert set(plain) == {field.name for field in dataclasses.fields(Verdict)}
        assert plain["seeds"] == list(verdict.seeds)
    assert plain["low"] is None


def test_the_same_study_twice_is_the_same_to_the_bit() -> None:
    arms = [arm("a", shift=0.003, seeds=range(8)), ArmScores(name="b", scores={})]
    first, second = (judge(CONTROL, arms, direction="max", margin=0.01, alpha=0.05, max_n=10) for _ in range(2))
    assert first == second


def test_studies_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ConfigError, match="two arms are called 'arm'"):
        judge(CONTROL, [arm(), arm()], direction="max", margin=0.0, alpha=0.05)
    for alpha, said in (
        (0.0, "not 0.0$"),
        (0.5, "not 0.5$"),
        (1e-7, "not 1e-07; no law of scores is known so far out"),
    ):
        with pytest.raises(ConfigError, match=said):
            one(arm(), alpha=alpha)
    with pytest.raises(DataError, match="per-example"):
        one(arm(), generalise="examples")
    assert judge(CONTROL, [], direction="max", margin=0.0, alpha=0.05) == ()


def test_an_accuracy_is_written_in_points_and_a_loss_as_it_is() -> None:
    control = ArmScores(name="control", scores={0: 0.90, 1: 0.91, 2: 0.89})
    treated = ArmScores(name="arm", scores={0: 0.930, 1: 0.941, 2: 0.921})
    words = {
        metric: judge(control, [treated], direction="max", margin=0.0, alpha=0.05, metric=metric)[0].sentence
        for metric in ("test_accuracy", "reward")
    }
    assert "3.07 points" in words["test_accuracy"]
    assert "0.0307" in words["reward"]
    assert "points" not in words["reward"]
