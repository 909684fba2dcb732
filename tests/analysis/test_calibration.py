"""The rates that Paribus promises, on simulated studies of known truth; ``bench/power.py`` is the long version."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student

from paribus.analysis import ArmScores, choose, intervals, judge, pairing_gain
from paribus.analysis.comparison import Findings, word
from paribus.analysis.intervals import Estimate
from paribus.analysis.looks import MIN_PAIRS, ONCE, EverySeed, Looks
from paribus.analysis.pairs import pair
from paribus.analysis.selection import first_seeds
from paribus.spec.seed import Streams

from .simulate import LAWS, Watched, at_least, at_most, outcomes, pairs, successes

STUDIES = 2000
ALPHA = 0.05


def said(estimate: Estimate, n: int, looks: Looks, margin: float = 0.0) -> tuple[str, Findings]:
    tests = Findings.of(estimate, n, margin=margin, alpha=ALPHA, looks=looks)
    words = word(estimate.difference, tests.p_value, tests.equivalence_p, alpha=ALPHA, direction="max")
    return words, tests


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [3, 5, 10])
def test_a_a_studies_of_fixed_n_pass_at_most_alpha(n: int, law: str) -> None:
    control, treated = pairs("a/a", law, STUDIES, n)
    false = sum(said(intervals.paired(c, t), n, ONCE)[0] != "undecided" for c, t in zip(control, treated, strict=True))
    assert at_most(false, STUDIES, ALPHA)
    if law == "normal":
        assert at_least(false, STUDIES, ALPHA)  # Student's t is exact here: a conservative test would waste seeds


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_a_true_effect(n: int, law: str) -> None:
    control, treated = pairs("cover", law, STUDIES, n, effect=1.5)
    covered = 0
    for c, t in zip(control, treated, strict=True):
        tests = said(intervals.paired(c, t), n, ONCE)[1]
        covered += tests.low <= 1.5 <= tests.high
    assert at_least(covered, STUDIES, 1 - ALPHA)


def first_word(c: np.ndarray, t: np.ndarray, looks: Looks, margin: float = 0.0) -> tuple[str, bool]:
    """Look after every seed; return the first word that is not ``undecided``, and whether all intervals hold 0."""
    found, covered = "undecided", True
    for n in range(MIN_PAIRS, len(c) + 1):
        words, tests = said(intervals.paired(c[:n], t[:n]), n, looks, margin)
        found = words if found == "undecided" else found
        covered &= tests.low <= 0 <= tests.high
    return found, covered


@pytest.mark.parametrize("law", LAWS)
def test_a_a_studies_looked_at_after_every_seed_pass_at_most_alpha(law: str) -> None:
    control, treated = pairs("looks", law, STUDIES, 30)
    looks = EverySeed(30)
    ends = [first_word(c, t, looks) for c, t in zip(control, treated, strict=True)]
    assert at_most(sum(words != "undecided" for words, _ in ends), STUDIES, ALPHA)
    assert at_least(sum(covered for _, covered in ends), STUDIES, 1 - ALPHA)  # all 28 intervals at once


def test_looking_after_every_seed_without_a_rule_is_caught() -> None:
    control, treated = pairs("looks", "normal", 500, 30)
    false = sum(first_word(c, t, ONCE)[0] != "undecided" for c, t in zip(control, treated, strict=True))
    assert not at_most(false, 500, ALPHA)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("n", "looks"), [(5, ONCE), (10, ONCE), (20, EverySeed(20))])
def test_a_difference_as_large_as_the_margin_is_called_equivalent_at_most_alpha(n: int, looks: Looks, law: str) -> None:
    margin = 2.0 if law == "heavy" else 1.0
    control, treated = pairs("tost", law, STUDIES, n, effect=margin)
    if looks is ONCE:
        ends = [said(intervals.paired(c, t), n, looks, margin)[0] for c, t in zip(control, treated, strict=True)]
    else:
        ends = [first_word(c, t, looks, margin)[0] for c, t in zip(control, treated, strict=True)]
    assert at_most(ends.count("equivalent"), STUDIES, ALPHA)
    assert at_most(ends.count("worse"), STUDIES, ALPHA)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize(("seed_sd", "interaction"), [(0.05, 0.0), (0.3, 0.0), (0.05, 0.25), (0.3, 0.25), (0.3, 0.7)])
def test_new_seeds_and_new_examples_pass_at_most_alpha(n: int, seed_sd: float, interaction: float) -> None:
    rng = Streams(21).generator(f"crossed/{n}/{seed_sd}/{interaction}")
    false = 0
    for _ in range(STUDIES):
        control, treated = outcomes(rng, n, 200, seed_sd=seed_sd, interaction=interaction)
        estimate = intervals.crossed(treated.astype(np.int8) - control.astype(np.int8))
        false += said(estimate, n, ONCE)[0] != "undecided"
    assert at_most(false, STUDIES, ALPHA)


def test_seeds_alone_do_not_generalise_to_new_examples() -> None:
    rng = Streams(21).generator("seeds alone")
    false = 0
    for _ in range(500):
        control, treated = outcomes(rng, 10, 200, seed_sd=0.05, interaction=0.7)
        false += said(intervals.paired(control.mean(1), treated.mean(1)), 10, ONCE)[0] != "undecided"
    assert not at_most(false, 500, ALPHA)


def test_new_examples_under_continuous_looks() -> None:
    rng, looks = Streams(22).generator("crossed looks"), EverySeed(10)
    false = 0
    for _ in range(STUDIES):
        control, treated = outcomes(rng, 10, 60, seed_sd=0.3, interaction=0.4)
        d = treated.astype(np.int8) - control.astype(np.int8)
        false += any(said(intervals.crossed(d[:n]), n, looks)[0] != "undecided" for n in range(MIN_PAIRS, 11))
    assert at_most(false, STUDIES, ALPHA)


@pytest.mark.parametrize("max_n", [None, 5])
def test_no_arm_of_a_whole_study_passes_more_often_than_alpha(max_n: int | None) -> None:
    rng = Streams(23).generator("family")
    scores = rng.standard_normal((STUDIES, 5, 5)) + rng.standard_normal((STUDIES, 1, 5))
    any_arm = one_arm = 0
    for study in scores:
        control, *arms = (
            ArmScores(name=str(i), scores=dict(enumerate(map(float, row)))) for i, row in enumerate(study)
        )
        verdicts = judge(control, arms, direction="max", margin=0.0, alpha=ALPHA, max_n=max_n)
        any_arm += any(verdict.verdict != "undecided" for verdict in verdicts)
        one_arm += any(verdict.p_value <= ALPHA for verdict in verdicts)
    assert at_most(any_arm, STUDIES, ALPHA)
    if max_n is None:
        assert not at_most(one_arm, STUDIES, ALPHA)  # without the adjustment the four arms together pass too often


def test_choosing_on_one_half_of_the_seeds_and_judging_on_the_other_keeps_alpha() -> None:
    rng = Streams(24).generator("choose")
    honest = greedy = 0
    for _ in range(STUDIES):
        luck = rng.standard_normal((13, 10))  # of the trained network: shared by validation and test
        validation, test = luck + 0.3 * rng.standard_normal((2, 13, 10))
        candidates = [ArmScores(name=str(i), scores=dict(enumerate(map(float, v)))) for i, v in enumerate(validation)]
        tested = {str(i): ArmScores(name=str(i), scores=dict(enumerate(map(float, t)))) for i, t in enumerate(test)}
        choice = choose(candidates[1:], direction="max")
        for seeds in (choice.judged_on, choice.chosen_on):
            control, arm = tested["0"].on(seeds), tested[choice.name].on(seeds)
            verdict = judge(control, [arm], direction="max", margin=0.0, alpha=ALPHA)[0].verdict
            if seeds == choice.judged_on:
                honest += verdict != "undecided"
            else:
                greedy += verdict != "undecided"
    assert at_most(honest, STUDIES, ALPHA)
    assert not at_most(greedy, STUDIES, ALPHA)


def test_choosing_once_and_looking_after_every_later_seed_keeps_alpha_and_choosing_anew_does_not() -> None:
    planned, arms, every = 30, 8, np.arange(STUDIES)
    first, rng = first_seeds(planned), Streams(25).generator("choose once")
    luck = rng.standard_normal((STUDIES, 1 + arms, planned))
    d, validation = luck[:, 1:] - luck[:, :1], luck[:, 1:] + 0.3 * rng.standard_normal((STUDIES, arms, planned))

    def rejects(scores: np.ndarray, looks: EverySeed) -> np.ndarray:
        n = scores.shape[1]
        t = scores.mean(1) / (scores.std(1, ddof=1) / np.sqrt(n))
        return np.abs(t) > student.isf(looks.level(ALPHA, n, 2) / 2, n - 1)

    looks, anew_looks = EverySeed(planned - first), EverySeed(planned // 2)
    best = validation[:, :, :first].mean(2).argmax(1)
    once = sum(rejects(d[every, best, first:n], looks) for n in range(first + MIN_PAIRS, planned + 1)) > 0
    anew = np.zeros(STUDIES, bool)
    for n in range(2 * MIN_PAIRS, planned + 1):
        best = validation[:, :, :n:2].mean(2).argmax(1)
        anew |= rejects(d[every, best, 1:n:2], anew_looks)
    assert at_most(int(once.sum()), STUDIES, ALPHA)
    assert at_least(int(once.sum()), STUDIES, ALPHA)
    assert not at_most(int(anew.sum()), STUDIES, ALPHA)


@pytest.mark.parametrize("max_n", [None, 12])
@pytest.mark.parametrize("n", [3, 5, 8, 12])
@pytest.mark.parametrize("rates", [(0.9, 0.6), (0.95, 0.85), (0.99, 0.9)])
def test_scores_of_success_or_failure_that_tie_are_not_called_equivalent(
    rates: tuple[float, float], n: int, max_n: int | None
) -> None:
    looks = ONCE if max_n is None else EverySeed(max_n)
    for margin in (0.05, rates[0] - rates[1]):
        control, treated = successes(f"tie/{margin}", STUDIES, n, rates)
        ends = [said(intervals.paired(c, t), n, looks, margin)[0] for c, t in zip(control, treated, strict=True)]
        assert at_most(ends.count("equivalent"), STUDIES, ALPHA)
        assert at_most(ends.count("better"), STUDIES, ALPHA / 2)


@pytest.mark.parametrize("n", [3, 5, 8, 12])
@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_a_a_studies_of_success_or_failure_pass_at_most_alpha(rate: float, n: int) -> None:
    control, treated = successes("a/a", STUDIES, n, (rate, rate))
    false = sum(said(intervals.paired(c, t), n, ONCE)[0] != "undecided" for c, t in zip(control, treated, strict=True))
    assert at_most(false, STUDIES, ALPHA)


@pytest.mark.parametrize(("effect", "margin", "false"), [(0.0, 0.0, {"better", "worse"}), (1.0, 1.0, {"equivalent"})])
def test_several_arms_that_stop_apart_pass_at_most_alpha(effect: float, margin: float, false: set[str]) -> None:
    rng, studies = Streams(29).generator(f"apart/{margin}"), 500
    scores = rng.standard_normal((studies, 4, 10)) + rng.standard_normal((studies, 1, 10))
    scores[:, 1] += 3.0  # one arm does help, is decided soon, and leaves the others to go on
    scores[:, 2:] += effect
    said_so = apart = 0
    for study in scores:
        watched = Watched(study, margin=margin, alpha=ALPHA)
        said_so += not watched.run().isdisjoint(false)
        apart += len(set(watched.counts.values())) > 1
    assert at_most(said_so, studies, ALPHA)
    assert apart > studies / 2


def judged_divergent(*lost: NDArray[np.bool_]) -> bool:
    """Whether an arm is said to diverge, of a control and arms that diverged on the seeds that are true."""
    control, *arms = (
        ArmScores(
            name=str(place),
            scores=dict.fromkeys(np.flatnonzero(~gone).tolist(), 0.0),
            diverged=tuple(np.flatnonzero(gone).tolist()),
        )
        for place, gone in enumerate(lost)
    )
    found = judge(control, arms, direction="max", margin=0.0, alpha=ALPHA)
    return any(verdict.verdict == "diverges" for verdict in found)


@pytest.mark.parametrize(("n", "rate"), [(2, 0.0), (3, 4.0**-3), (10, ALPHA)])
def test_arms_that_diverge_alike_are_told_apart_at_most_as_often_as_stated(n: int, rate: float) -> None:
    rng = Streams(25).generator(f"diverge/{n}")
    said_so = 0
    for control, treated in rng.random((STUDIES, 2, n)) < 0.5:
        said_so += judged_divergent(control, treated)
    assert at_most(said_so, STUDIES, rate)
    if n < 5:
        assert at_least(said_so, STUDIES, rate)  # at divergence in every second seed it is as often as that


@pytest.mark.parametrize("n", [3, 4, 5, 8])
def test_of_many_arms_that_diverge_alike_none_is_told_apart_more_often_than_alpha(n: int) -> None:
    rng = Streams(31).generator(f"diverge/arms/{n}")
    said_so = 0
    for lost in rng.random((STUDIES, 9, n)) < 0.5:
        said_so += judged_divergent(*lost)
    assert at_most(said_so, STUDIES, ALPHA)


@pytest.mark.parametrize(("own", "spread"), [(0.5, 1.0), (0.5, 1.6), (2.0, 1.0)])
def test_the_interval_of_the_pairing_gain_covers(own: float, spread: float) -> None:
    rng = Streams(26).generator(f"gain/{own}/{spread}")
    shared = rng.standard_normal((STUDIES, 20))
    control = shared + own * rng.standard_normal((STUDIES, 20))
    treated = spread * shared + own * rng.standard_normal((STUDIES, 20))
    truth = (1 + spread**2 + 2 * own**2) / ((spread - 1) ** 2 + 2 * own**2)
    covered = 0
    for c, t in zip(control, treated, strict=True):
        gain = pairing_gain(c, t)
        covered += gain.low <= truth <= gain.high
    assert at_least(covered, STUDIES, 0.95)
    assert at_most(covered, STUDIES, 0.95)  # the interval is exact, not merely wide


def test_judge_sees_the_examples_that_the_calibration_rests_on() -> None:
    rng = Streams(27).generator("wiring")
    control, treated = outcomes(rng, 4, 50, seed_sd=0.3, interaction=0.5)
    arms = [
        ArmScores(
            name=name,
            scores={seed: float(row.mean()) for seed, row in enumerate(rows)},
            correct=dict(enumerate(rows)),
        )
        for name, rows in (("control", control), ("arm", treated))
    ]
    expected = said(intervals.crossed(treated.astype(np.int8) - control.astype(np.int8)), 4, ONCE)[1]
    verdict = judge(arms[0], arms[1:], direction="max", margin=0.0, alpha=ALPHA)[0]
    assert (verdict.low, verdict.high, verdict.p_value) == (expected.low, expected.high, expected.p_value)
    assert verdict.generalises == "new seeds and new examples"
    assert pair(arms[0], arms[1], "seeds").estimate().half_width(ALPHA) < verdict.high - verdict.difference
