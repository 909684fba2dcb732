"""Each point that an attack shows is the one that its paper's algorithm has come to, by a loop of our own in float64.

The models are small and bent, and none is ever fooled, so that the whole way is seen. A loop goes on from the points
that were shown, so that differences of float32 do not add up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.adversarial.attacks.apgd import ascend
from paribus.labs.adversarial.attacks.bounds import Ball
from paribus.labs.adversarial.attacks.course import CourseAttack
from paribus.labs.adversarial.attacks.elastic_net import ElasticNet
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.noise import start_noise
from paribus.labs.adversarial.attacks.pgd import mi_fgsm
from paribus.labs.adversarial.attacks.search import Runs, Search
from paribus.labs.adversarial.attacks.square import _bump, _moved_mass, _window
from paribus.labs.adversarial.experiments import Course
from paribus.spec.seed import Streams

Array = NDArray[np.float64]
SHAPE = (3, 4, 4)


class Waves:
    """Logits of three classes: the label's is 12, the others are sums of waves below 9. It notes what it is shown."""

    def __init__(self, frequency: float) -> None:
        random = np.random.default_rng(0)
        self.across = torch.from_numpy(frequency * random.normal(0, 1, (48, 6)) ** 3 / 5)
        self.sums = torch.from_numpy(random.uniform(-1.5, 1.5, (6, 2)))
        self.shown: list[Tensor] = []

    def logits(self, points: Tensor) -> Tensor:
        waves = torch.sin(points.flatten(1).double() @ self.across) @ self.sums
        return torch.cat([torch.full((len(points), 1), 12.0, dtype=torch.float64), waves], dim=1)

    def __call__(self, points: Tensor) -> Tensor:
        self.shown.append(points.detach().clone())
        return self.logits(points).float()

    def at(self, loss: Callable[[Tensor], Tensor], point: Array) -> tuple[float, Array]:
        """Return the loss of the logits (3,) at a point, and its gradient."""
        variable = torch.from_numpy(point)[None].requires_grad_()
        value = loss(self.logits(variable)[0])
        (slope,) = torch.autograd.grad(value, variable)
        return float(value.detach()), slope[0].numpy()


def _image() -> Tensor:
    return torch.from_numpy(np.random.default_rng(1).uniform(0.3, 0.7, (1, *SHAPE))).float()


def _shown(model: Any) -> list[Array]:
    """Return the points that were shown after the clean image."""
    return [points[0].double().numpy() for points in model.shown[1:]]


def _cross_entropy(logits: Tensor) -> Tensor:
    return torch.logsumexp(logits, dim=0) - logits[0]


def _into(point: Array, image: Array, eps: float, norm: str) -> Array:
    if norm == "linf":
        return np.clip(np.clip(point, image - eps, image + eps), 0, 1)
    moved = point - image
    length = math.sqrt((moved**2).sum())
    return np.clip(image + moved * min(1.0, eps / length), 0, 1)


def _along(slope: Array, norm: str) -> Array:
    return np.sign(slope) if norm == "linf" else slope / math.sqrt((slope**2).sum())


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_gradients_with_momentum(norm: str) -> None:
    """Dong et al. (2018), algorithm 1, with a decay of 1."""
    model, eps, steps = Waves(4.0), {"linf": 0.1, "l2": 0.6}[norm], 8
    mi_fgsm(norm=norm, eps=eps, steps=steps)(model, _image(), torch.tensor([0]), streams=Streams(0))
    shown, gathered = _shown(model), np.zeros(SHAPE)
    assert len(shown) == steps + 1
    for before, after in itertools.pairwise(shown):
        _, slope = model.at(_cross_entropy, before)
        gathered = gathered + slope / np.abs(slope).sum()
        expected = _into(before + eps / steps * _along(gathered, norm), shown[0], eps, norm)
        assert np.allclose(after, expected, atol=2e-6)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_auto_pgd(norm: str) -> None:
    """Croce and Hein (2020), algorithm 1, with 34 steps: 22 %, 19 %, ... of them are whole but for a fraction."""
    model, eps, steps, image = Waves(4.0), {"linf": 0.3, "l2": 1.5}[norm], 34, _image()
    search = Search(model, image, torch.tensor([0]), norm=norm)
    ball = Ball.around(image, eps, norm)
    noise = start_noise(Streams(0), "start", image, norm)
    ascend(search, ball, lambda logits, rows: logits[:, 1], Runs(range(1), torch.tensor([0])), noise, steps)
    shown = _shown(model)
    assert len(shown) == steps + 1
    looks = set(itertools.accumulate((7, 6, 5, 4, 3, 2, 2, 2, 2)))
    point = before = shown[0]
    last_loss, slope = model.at(lambda logits: logits[1], point)
    best, best_slope, best_loss, step = point, slope, last_loss, 2 * eps
    rises, since, halved, loss_at_look, halvings = 0, 0, True, last_loss, []
    for place in range(steps):
        goal = _into(point + step * _along(slope, norm), image[0].double().numpy(), eps, norm)
        if place > 0:
            goal = point + 0.75 * (goal - point) + 0.25 * (point - before)
            goal = _into(goal, image[0].double().numpy(), eps, norm)
        assert np.allclose(shown[place + 1], goal, atol=5e-6), f"step {place}"
        before, point = point, shown[place + 1]
        loss, slope = model.at(lambda logits: logits[1], point)
        rises, since = rises + (loss > last_loss), since + 1
        last_loss = loss
        if loss > best_loss:
            best, best_slope, best_loss = point, slope, loss
        if place + 1 in looks:
            halved = rises <= 0.75 * since or (not halved and loss_at_look >= best_loss)
            if halved:
                step, point, slope = step / 2, best, best_slope
            halvings.append(halved)
            rises, since, loss_at_look = 0, 0, best_loss
    assert sum(halvings) > 2


def test_the_elastic_net_shrinks_by_beta_around_the_image() -> None:
    """Chen et al. (2018), algorithm 1 and equation 5: by beta, whatever the rate."""
    model, beta, rate, steps, weight = Waves(4.0), 0.02, 0.05, 6, 0.7
    ElasticNet(steps=steps, searches=1, first=weight, rate=rate, beta=beta)(
        model, _image(), torch.tensor([0]), streams=Streams(0)
    )
    shown = _shown(model)
    assert len(shown) == 2 * steps
    image = point = shown[0]
    for step in range(steps):
        ahead, after = shown[2 * step : 2 * step + 2]
        _, slope = model.at(lambda logits: logits[0] - logits[1:].max(), ahead)
        goal = ahead - rate * math.sqrt(1 - step / steps) * (weight * slope + 2 * (ahead - image))
        expected = np.zeros(SHAPE)
        for place in np.ndindex(SHAPE):
            if goal[place] - image[place] > beta:
                expected[place] = min(goal[place] - beta, 1.0)
            elif goal[place] - image[place] < -beta:
                expected[place] = max(goal[place] + beta, 0.0)
            else:
                expected[place] = image[place]
        assert np.allclose(after, expected, atol=1e-6)
        if step + 1 < steps:
            onwards = np.clip(after + step / (step + 3) * (after - point), 0, 1)
            assert np.allclose(shown[2 * step + 2], onwards, atol=1e-6)
        point = after
    still = shown[-1] == image
    assert 0 < still.sum() < still.size


def test_fab_is_drawn_back_to_the_image() -> None:
    """Croce and Hein (2020), algorithm 1, in L2 where the box is far: two classes whose boundary is never reached."""
    random, image, alpha = np.random.default_rng(2), _image(), 0.1
    normals = torch.from_numpy(random.normal(0, 4, (48, 2)))
    shown: list[Tensor] = []

    def gain(points: Tensor) -> Tensor:
        return -torch.exp(-(points.flatten(1).double() - 0.5) @ normals).sum(dim=1)

    def model(points: Tensor) -> Tensor:
        shown.append(points.detach().clone())
        return torch.stack([torch.zeros(len(points)), gain(points).float()], dim=1)

    TargetedFAB(norm="l2", steps=6)(model, image, torch.tensor([0]), streams=Streams(0))
    ways = [points[0].double().numpy() for points in shown[1:]]
    assert len(ways) == 7
    centre = ways[0]
    for point, after in itertools.pairwise(ways):
        variable = torch.from_numpy(point)[None].requires_grad_()
        value = gain(variable)
        (slope,) = torch.autograd.grad(value.sum(), variable)
        normal, height = slope[0].numpy(), float(value.detach())
        here = -height * normal / (normal**2).sum()
        there = -(height + (normal * (centre - point)).sum()) * normal / (normal**2).sum()
        near, far = math.sqrt((here**2).sum()), math.sqrt((there**2).sum())
        share = min(near / (near + far), alpha)
        expected = (1 - share) * (point + 1.05 * here) + share * (centre + 1.05 * there)
        assert expected.min() > 0
        assert expected.max() < 1
        assert np.allclose(after, expected, atol=1e-5)


@pytest.mark.parametrize("apart", [True, False], ids=["apart", "overlapping"])
def test_square_moves_the_mass_of_two_windows_into_one(apart: bool) -> None:
    """Andriushchenko et al. (2020), algorithm 3, in L2."""
    random = np.random.default_rng(3)
    centre = torch.full((1, 3, 8, 8), 0.5)
    moved = torch.from_numpy(random.normal(0, 1, (1, 3, 8, 8))).float()
    moved = 0.999 * moved / moved.norm()
    places = np.array([[0.0], [0.0]], np.float32), np.array([[0.99], [0.99]] if apart else [[0.2], [0.2]], np.float32)
    here, there = (_window(place, 3, 8, 8) for place in places)
    ball = Ball.around(centre, 1.0, "l2")
    found = _moved_mass(centre + moved, ball, here, there, _bump(3, "l2", tall=False), torch.ones(1, 3))
    after, before = (points[0].double().numpy() for points in (found - centre, moved))
    first, second = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    first[:3, :3] = True
    corner = 5 if apart else 1
    second[corner : corner + 3, corner : corner + 3] = True

    assert not after[:, second & ~first].any()
    for old, new in zip(before, after, strict=True):
        wanted = (old[first | second] ** 2).sum() + (1 - (before**2).sum()) / 3
        assert (new[first] ** 2).sum() == pytest.approx(wanted, rel=1e-4)
    assert np.allclose(after[:, ~(first | second)], before[:, ~(first | second)], atol=1e-4 * np.abs(before).max())


def _course_loss(point: Array, image: Array, across: Array, goal: int, how: Course) -> float:
    """Return w CE(f(x'), t) + tv TV(x') + c ||x' - x||^2, summed number by number."""
    logits = point.ravel() @ across
    down = [abs(point[c, i + 1, j] - point[c, i, j]) for c, i, j in itertools.product(range(3), range(3), range(4))]
    right = [abs(point[c, i, j + 1] - point[c, i, j]) for c, i, j in itertools.product(range(3), range(4), range(3))]
    entropy = math.log(sum(math.exp(one) for one in logits)) - logits[goal]
    squares = sum((point[place] - image[place]) ** 2 for place in np.ndindex(SHAPE))
    return float(how.cross_entropy * entropy + how.tv * (np.mean(down) + np.mean(right)) + how.c * squares)


def test_the_course_objective_and_its_gradient_are_the_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    random, how = np.random.default_rng(4), Course(c=0.7, tv=1.3, cross_entropy=0.9)
    across = random.normal(0, 0.3, (48, 4))
    given: list[Any] = []

    def optimise(loss: Any, start: Tensor, **_: object) -> object:
        given.append(loss)
        return SimpleNamespace(strip=None)

    monkeypatch.setattr("paribus.labs.adversarial.attacks.course.optimise", optimise)

    image = _image()

    def model(points: Tensor) -> Tensor:
        return points.flatten(1).double() @ torch.from_numpy(across)

    label = model(image).argmax(dim=1)
    goal = (int(label[0]) + 2) % 4
    CourseAttack(settings=how)(model, image, label, streams=Streams(0), target=torch.tensor([goal]))
    original = image[0].double().numpy()
    point = original + random.normal(0, 0.1, SHAPE)
    variable = torch.from_numpy(point)[None].requires_grad_()
    objective = given[0](variable, 0).objective
    assert float(objective.detach()) == pytest.approx(_course_loss(point, original, across, goal, how), rel=1e-5)
    (slope,) = torch.autograd.grad(objective.sum(), variable)
    for place in list(np.ndindex(SHAPE))[::7]:
        step = np.zeros(SHAPE)
        step[place] = 1e-5
        ahead, behind = (_course_loss(point + sign * step, original, across, goal, how) for sign in (1, -1))
        assert float(slope[0][place]) == pytest.approx((ahead - behind) / 2e-5, rel=1e-4, abs=1e-5)
