from __future__ import annotations

import math

import pytest

from paribus.analysis import ArmScores, ablate, choose, judge_pairs
from paribus.analysis.selection import first_seeds
from paribus.errors import DataError

WOBBLE = {0: 0.001, 1: -0.001, 2: 0.0005, 3: -0.0005, 4: 0.0}


def arm(name: str, level: float, **fields) -> ArmScores:
    sign = -1 if len(name) % 2 else 1
    return ArmScores(name=name, scores={s: level + sign * w for s, w in WOBBLE.items()}, **fields)


def test_the_effect_of_a_change_is_full_minus_without() -> None:
    full = arm("lab/a/b/c", 0.90)
    without = {"a": arm("lab/b,c!", 0.89), "b": arm("lab/a/c!", 0.85), "c": arm("lab/a/b!", 0.93)}
    rows = ablate(full, without, direction="max", margin=0.0, alpha=0.05)
    assert [row.change for row in rows] == ["b", "a", "c"]
    assert [row.verdict.verdict for row in rows] == ["better", "better", "worse"]
    assert [row.verdict.difference for row in rows] == pytest.approx([0.05, 0.01, -0.03])
    assert (rows[0].without, rows[0].verdict.name) == ("lab/a/c!", "b")
    unordered = judge_pairs([(w, full) for w in without.values()], direction="max", margin=0.0, alpha=0.05)
    assert sorted(row.verdict.adjusted_p for row in rows) == sorted(v.adjusted_p for v in unordered)


def test_ablation_puts_low_metrics_first_where_low_is_good_and_unknown_ones_last() -> None:
    without = {"none": ArmScores(name="x", scores={}), "bad": arm("y", 1.0), "good": arm("z", 3.0)}
    rows = ablate(arm("full", 2.0), without, direction="min", margin=0.0, alpha=0.05)
    assert [row.change for row in rows] == ["good", "bad", "none"]
    assert rows[-1].verdict.verdict == "undecided"


def test_choose_splits_the_seeds_and_takes_the_best() -> None:
    low = ArmScores(name="low", scores=dict.fromkeys((10, 3, 7, 8, 20), 0.5))
    high = ArmScores(name="high", scores={3: 0.6, 7: 0.0, 8: 0.6, 10: 0.0, 20: 0.6, 99: 0.0})
    choice = choose([low, high], direction="max")
    assert (choice.name, choice.chosen_on, choice.judged_on) == ("high", (3, 8, 20), (7, 10))
    assert choice.means == pytest.approx({"low": 0.5, "high": 0.6})
    assert choose([low, high], direction="min").name == "low"
    assert low.on(choice.judged_on).scores == {7: 0.5, 10: 0.5}


def test_choosing_once_in_a_study_that_is_looked_at_along_the_way() -> None:
    low = ArmScores(name="low", scores=dict.fromkeys(range(6), 0.5))
    high = ArmScores(name="high", scores={0: 0.9, 1: 0.9, 2: 0.0, 3: 0.0, 4: 0.0, 5: 0.0})
    choice = choose([low, high], direction="max", first=2)
    assert (choice.name, choice.chosen_on, choice.judged_on) == ("high", (0, 1), (2, 3, 4, 5))
    with pytest.raises(DataError, match="no seed below 2"):
        choose([low.on((2, 3)), high], direction="max", first=2)
    assert [first_seeds(n) for n in (3, 4, 5, 6, 8, 12, 30)] == [1, 1, 2, 2, 3, 4, 10]


def test_a_candidate_that_diverged_is_not_chosen() -> None:
    steady = ArmScores(name="steady", scores={0: 0.5, 1: 0.5, 2: 0.5})
    shaky = ArmScores(name="shaky", scores={0: 0.9, 1: 0.9}, diverged=(2,))
    choice = choose([shaky, steady], direction="max")
    assert choice.name == "steady"
    assert math.isnan(choice.means["shaky"])
    with pytest.raises(DataError, match="diverged"):
        choose([shaky], direction="max")


def test_what_cannot_be_chosen_from() -> None:
    with pytest.raises(DataError, match="no candidates"):
        choose([], direction="max")
    with pytest.raises(DataError, match="takes two"):
        choose([ArmScores(name="a", scores={1: 0.5})], direction="max")
