"""Which examples a report shows, against loops over seeds and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.report.gallery import SHOWN, Answers, find_flips, find_mistakes, illustrate
from paribus.spec.lab import Pictures

LABELS = np.arange(30) % 4


def answers(seed: int, seeds: Sequence[int]) -> Answers:
    rng = np.random.default_rng(seed)
    predicted = np.where(rng.random((len(seeds), 30)) < 0.6, LABELS, rng.integers(0, 4, (len(seeds), 30)))
    return Answers(tuple(seeds), predicted == LABELS, predicted, rng.random((len(seeds), 30)))


@given(st.integers(0, 100), st.integers(1, 5), st.integers(0, 3))
def test_flips_are_those_that_a_loop_counts(seed: int, n: int, shift: int) -> None:
    control, arm = answers(seed, range(n)), answers(seed + 1, range(shift, shift + n))
    both = [s for s in control.seeds if s in arm.seeds]
    found = find_flips(control, arm)
    if not both:
        assert found is None
        return
    assert found is not None
    gained: Counter[int] = Counter()
    for s in both:
        for example in range(30):
            right = [who.correct[who.seeds.index(s), example] for who in (control, arm)]
            gained[example] += right == [False, True]
    assert found.gained_per_seed == pytest.approx(gained.total() / len(both))
    assert {flip.index: flip.seeds for flip in found.gained}.items() <= gained.items()
    assert [flip.seeds for flip in found.gained] == sorted(filter(None, gained.values()), reverse=True)[:SHOWN]
    for flip in found.gained:
        assert int(flip.arm) == LABELS[flip.index] != int(flip.control)
    for flip in found.lost:
        assert int(flip.control) == LABELS[flip.index] != int(flip.arm)


def test_mistakes_are_the_most_frequent_and_then_the_most_confident() -> None:
    arm = answers(3, range(4))
    gallery = find_mistakes(arm)
    assert gallery is not None
    assert arm.confidence is not None
    ranks = []
    for example in range(30):
        wrong = [s for s in range(4) if not arm.correct[s, example]]
        if wrong:
            ranks.append((-len(wrong), -float(np.mean(arm.confidence[wrong, example])), example))
    assert [mistake.index for mistake in gallery.mistakes] == [example for _, _, example in sorted(ranks)[:SHOWN]]
    assert [-mistake.seeds for mistake in gallery.mistakes] == [count for count, _, _ in sorted(ranks)[:SHOWN]]


def test_nothing_wrong_gives_no_gallery() -> None:
    assert find_mistakes(Answers((0,), np.ones((1, 5), dtype=bool))) is None
    assert find_mistakes(Answers((), np.ones((0, 5), dtype=bool))) is None


def test_test_sets_of_different_size_are_not_compared() -> None:
    assert find_flips(answers(0, [0]), Answers((0,), np.ones((1, 5), dtype=bool))) is None


def test_pictures_and_class_names_come_by_index() -> None:
    asked: list[int] = []

    def look(indices: Sequence[int]) -> Pictures:
        asked.extend(indices)
        images = np.stack([np.full((2, 2, 1), index, np.uint8) for index in indices])
        return Pictures(images, LABELS[list(indices)], ("ant", "bee", "cat", "dog"))

    found, gallery = illustrate(find_flips(answers(0, [0]), answers(1, [0])), find_mistakes(answers(1, [0])), look)
    assert found is not None
    assert gallery is not None
    assert asked == sorted(set(asked))
    for item in (*found.gained, *found.lost, *gallery.mistakes):
        assert item.image is not None
        assert (item.image == item.index).all()
        assert item.label == ("ant", "bee", "cat", "dog")[LABELS[item.index]]
    assert {flip.control for flip in found.lost} <= {"ant", "bee", "cat", "dog"}
