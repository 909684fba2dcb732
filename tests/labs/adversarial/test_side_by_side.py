"""The runs of an attack side by side: what they find is what they find one after the other, image by image."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from adversarial.sample import digits, network
from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD, ascend
from paribus.labs.adversarial.attacks.bounds import Ball, distance
from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import Runs, Search, _least_of_each
from paribus.spec.seed import Streams

ATTACKS: dict[str, Callable[[], Attack]] = {
    "pgd": lambda: PGD(eps=0.07, steps=5, restarts=5),
    "pgd_l2": lambda: PGD(norm="l2", eps=2.4, steps=5, restarts=5),
    "pgd_l0": lambda: PGD(norm="l0", eps=16.0, steps=5, restarts=5),
    "momentum": lambda: PGD(eps=0.07, steps=5, restarts=5, momentum=1.0),
    "apgd": lambda: APGD(eps=0.07, steps=8, restarts=5),
    "apgd_l1": lambda: APGD(norm="l1", eps=28.0, steps=12, restarts=5),
    "apgd_t": lambda: TargetedAPGD(eps=0.07, steps=8),
    "apgd_t_l1": lambda: TargetedAPGD(norm="l1", eps=28.0, steps=12),
    "fab": lambda: TargetedFAB(eps=0.07, steps=5),
    "fab_l2": lambda: TargetedFAB(norm="l2", eps=1.6, steps=5),
}


def _one(self: Search, images: int) -> int:
    """Return how many runs are made at once where they follow each other, in place of ``Search.abreast``."""
    return 1


def _noting(sizes: list[int], model: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def noted(images: Tensor) -> Tensor:
        sizes.append(len(images))
        return model(images)

    return noted


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_images_are_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = digits("test", 40)
    sizes: list[int] = []
    found = ATTACKS[name]()(_noting(sizes, network()), images, labels, streams=Streams(3))
    apart: list[int] = []
    monkeypatch.setattr(Search, "abreast", _one)
    expected = ATTACKS[name]()(_noting(apart, network()), images, labels, streams=Streams(3))
    assert found.success.tolist() == expected.success.tolist()
    right = network()(images).argmax(dim=1) == labels
    assert 0 < int((found.success & right).sum()) < int(right.sum()), "the sample decides nothing"
    assert len(sizes) < 0.8 * len(apart)
    assert max(sizes) <= 42
    broken = network()(found.images).argmax(dim=1) != labels
    assert broken.tolist() == found.success.tolist()
    norm = getattr(ATTACKS[name](), "norm")  # noqa: B009  # of each, though no protocol says so
    far = distance(found.images, images, norm)
    torch.testing.assert_close(far[found.success], found.distance[found.success])


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_the_nearest_error_of_all_classes_is_the_same(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = digits("test", 12)
    attack = TargetedFAB(norm=norm, steps=6)
    found = attack(network(), images, labels, streams=Streams(0))
    monkeypatch.setattr(Search, "abreast", _one)
    expected = attack(network(), images, labels, streams=Streams(0))
    torch.testing.assert_close(found.distance, expected.distance, rtol=1e-3, atol=1e-5)
    assert found.queries.float().mean() == pytest.approx(float(expected.queries.float().mean()), rel=0.2)


class _Firm:
    """Answers 0 of three classes whatever it is shown, and notes that."""

    def __init__(self) -> None:
        self.shown: list[Tensor] = []
        self.side_by_side = 1
        self.told: list[int] = []

    def __call__(self, images: Tensor) -> Tensor:
        self.shown.append(images.detach().clone())
        self.told.append(self.side_by_side)
        flat = images.flatten(1)
        return torch.stack([flat.sum(dim=1) + 1e5, flat.sum(dim=1), -flat[:, 0]], dim=1)


def test_each_run_begins_where_it_would_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(4, dtype=torch.int64)
    attack = PGD(eps=0.1, steps=1, restarts=7)
    model = _Firm()
    attack(model, images, labels, streams=Streams(5))
    # The clean images, the first start and its last point; then six runs of four images at once.
    assert [len(shown) for shown in model.shown] == [4, 4, 4, 24, 24]
    assert model.told == [1, 1, 1, 6, 6]
    assert model.side_by_side == 1
    monkeypatch.setattr(Search, "abreast", _one)
    alone = _Firm()
    attack(alone, images, labels, streams=Streams(5))
    starts = torch.cat(alone.shown[1::2])
    assert torch.equal(torch.cat([model.shown[1], model.shown[3]]), starts)
    assert len(starts.unique(dim=0)) == 28


def test_a_batch_is_never_larger_than_was_given_or_than_there_is_room() -> None:
    labels = torch.zeros(100, dtype=torch.int64)
    images = torch.rand(100, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model = _Firm()
    PGD(eps=0.1, steps=1, restarts=3)(model, images, labels, streams=Streams(0))
    assert {len(shown) for shown in model.shown} == {100}
    model = _Firm()
    PGD(eps=0.1, steps=1, restarts=12)(model, images[:10], labels[:10], streams=Streams(0))
    assert [len(shown) for shown in model.shown[3::2]] == [40, 40, 30]


def test_runs_fill_the_batch_that_was_given() -> None:
    images = torch.rand(100, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = (torch.arange(100) >= 30).long()  # 70 that the model gets wrong as they are
    model = _Firm()
    PGD(eps=0.1, steps=1, restarts=6)(model, images, labels, streams=Streams(0))
    assert [len(shown) for shown in model.shown[1:-1:2]] == [30, 90, 60]


@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_a_row_keeps_its_goal_when_others_leave(norm: str) -> None:
    """The second of four images falls when it has become brighter. Brightness says which is which: no step hides it."""
    images = torch.cat([torch.full((1, 3, 8, 8), 0.1 + 0.2 * place) for place in range(4)])
    seen: list[int] = []

    def model(shown: Tensor) -> Tensor:
        mean = shown.flatten(1).mean(dim=1)
        place = (mean - 0.1) / 0.2
        falls = (place.round() == 1) & (mean > 0.303)
        return torch.stack([100 + 0 * mean, 200.0 * falls, place], dim=1)

    search = Search(model, images, torch.zeros(4, dtype=torch.int64), norm=norm)
    runs = Runs(range(1, 4), torch.arange(4))

    def objective(logits: Tensor, rows: Tensor) -> Tensor:
        assert logits[:, 2].detach().round().tolist() == runs.which[rows].tolist()
        seen.append(len(rows))
        return logits[:, 2]

    noise = torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    ascend(search, Ball.around(images, {"linf": 0.03, "l1": 2.0}[norm], norm), objective, runs, noise, 12)
    assert search.success.tolist() == [False, True, False, False]
    assert seen[0] == 12
    assert seen[-1] == 9


def test_of_a_random_model_the_highest_of_all_runs_is_kept() -> None:
    images, labels = (each[1:] for each in digits("test", 4))

    class Random:
        random = True

        def __call__(self, shown: Tensor) -> Tensor:
            return network()(shown)

    together = PGD(eps=0.02, steps=4, restarts=5)(Random(), images, labels, streams=Streams(0))
    assert not bool(together.success.any())
    singly = [
        PGD(eps=0.02, steps=4, restarts=1 + run)(Random(), images, labels, streams=Streams(0)) for run in range(5)
    ]
    torch.testing.assert_close(
        together.loss, torch.stack([one.loss for one in singly]).amax(dim=0), rtol=1e-4, atol=1e-4
    )
    again = network()(together.images)
    expected = torch.stack([row[torch.arange(10) != k].max() - row[k] for row, k in zip(again, labels, strict=True)])
    torch.testing.assert_close(together.loss, expected, rtol=1e-4, atol=1e-4)


def test_where_one_run_finds_the_others_of_its_image_end() -> None:
    """The second image falls where its first number, which starts at random, is high; the first never does."""
    sizes: list[int] = []

    def model(images: Tensor) -> Tensor:
        sizes.append(len(images))
        flat = images.flatten(1)
        falls = (flat[:, 1] > 0.5) & (flat[:, 0] > 0.559)
        return torch.stack([torch.ones(len(flat)), 2.0 * falls + 0 * flat.sum(dim=1)], dim=1)

    images = torch.full((2, 3, 8, 8), 0.5)
    images[0].view(-1)[1], images[1].view(-1)[1] = 0.2, 0.8
    seeds = [seed for seed in range(40) if _first_find(seed) >= 3]
    found = PGD(eps=0.06, steps=4, restarts=12)(model, images, torch.tensor([0, 0]), streams=Streams(seeds[0]))
    assert found.success.tolist() == [False, True]
    assert sizes[1] == 2
    assert 22 in sizes  # eleven runs of both
    assert sizes[-2] == 11  # of the first alone
    assert int(found.queries[0]) > int(found.queries[1])


def _first_find(seed: int) -> int:
    """Return the first restart of PGD whose noise moves the second image's first number up by almost all of it."""
    for restart in range(12):
        generator = Streams(seed).generator(f"attack/pgd/restart={restart}")
        if generator.random((2, 3, 8, 8), dtype="float32")[1, 0, 0, 0] * 2 - 1 > 0.99:
            return restart
    return -1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=30))
def test_the_least_of_each(rows: list[tuple[int, int]]) -> None:
    which, values = (torch.tensor([row[place] for row in rows], dtype=torch.int64) for place in (0, 1))
    expected = {}
    for place, (image, value) in enumerate(rows):
        if image not in expected or value < rows[expected[image]][1]:
            expected[image] = place
    assert sorted(_least_of_each(which, values.float()).tolist()) == sorted(expected.values())


def test_of_candidates_for_one_image_the_nearest_counts_and_each_is_a_query() -> None:
    images = torch.full((2, 3, 4, 4), 0.5)
    search = Search(lambda shown: torch.stack([torch.zeros(len(shown)), shown[:, 0, 0, 0] - 0.55], 1), images,
                    torch.tensor([0, 0]), norm="linf")  # fmt: skip
    which = torch.tensor([0, 1, 0, 1, 0])
    moved = torch.tensor([0.3, 0.04, 0.1, 0.2, 0.2])
    points = images[which] + moved.view(-1, 1, 1, 1)
    logits = search.logits(points, which)
    assert search.offer(points, logits, which).tolist() == [True, False, True, True, True]
    torch.testing.assert_close(search.distance, torch.tensor([0.1, 0.2]).double(), rtol=0, atol=1e-6)
    assert search.queries.tolist() == [4, 3]
    assert search.done(which).all()


def test_of_a_stand_in_all_runs_go_on_and_the_best_is_kept() -> None:
    images, labels = digits("test", 6)

    class StandIn:
        stand_in = True

        def __call__(self, shown: Tensor) -> Tensor:
            return network()(shown)

    attack = PGD(eps=0.1, steps=4, restarts=4)
    together = attack(StandIn(), images, labels, streams=Streams(0))
    singly = [
        PGD(eps=0.1, steps=4, restarts=1 + run)(StandIn(), images, labels, streams=Streams(0)).loss for run in range(4)
    ]
    assert together.queries.tolist() == [1 + 4 * 5] * 6
    torch.testing.assert_close(together.loss, torch.stack(singly).amax(dim=0), rtol=1e-4, atol=1e-4)
