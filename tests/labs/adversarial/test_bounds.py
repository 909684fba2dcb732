"""Where an attack may move: exact bounds, projections against independent references."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, linprog, minimize

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import (
    Ball,
    ascent,
    distance,
    l0_projection,
    l1_projection,
    rounded_towards,
)
from paribus.labs.adversarial.attacks.hyperplane import onto_hyperplane

DTYPES = (torch.float32, torch.bfloat16)
SHAPE = (4, 3, 5, 5)


def _draw(seed: int, spread: float) -> tuple[torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(seed)
    images = random.random(SHAPE).round(random.integers(0, 4))  # with exact zeros and ones among them
    return torch.from_numpy(images), torch.from_numpy(random.normal(0, spread, SHAPE)).float()


@given(st.integers(0, 10**6), st.floats(1e-4, 60), st.floats(1e-3, 10), st.sampled_from(("linf", "l2", "l1")),
       st.sampled_from(DTYPES))  # fmt: skip
def test_no_pixel_leaves_the_box_or_the_ball(
    seed: int, eps: float, spread: float, norm: str, dtype: torch.dtype
) -> None:
    exact, moved = _draw(seed, spread)
    images = exact.to(dtype)
    ball = Ball.around(images, eps, norm)
    projected = ball.project(images.float() + moved)
    found = projected.to(dtype) if norm == "linf" else rounded_towards(projected, images, dtype)
    assert bool((found >= 0).all())
    assert bool((found <= 1).all())
    assert bool((distance(found, images, norm) <= eps).all())  # in float64
    flat = (found - images).flatten(1)  # and in the dtype's own arithmetic
    order = {"linf": torch.inf, "l2": 2, "l1": 1}[norm]
    assert bool((torch.linalg.vector_norm(flat, order, dim=1) <= eps).all())
    assert bool((flat.abs().amax(dim=1) <= eps).all())


@given(st.integers(0, 10**6), st.floats(1e-3, 3), st.sampled_from(("linf", "l2", "l1")))
def test_a_point_of_the_ball_stays_and_a_second_projection_changes_nothing(seed: int, eps: float, norm: str) -> None:
    exact, moved = _draw(seed, 1.0)
    ball = Ball.around(exact.float(), eps, norm)
    once = ball.project(exact.float() + moved)
    assert torch.allclose(ball.project(once), once, atol=2e-6 * max(1.0, eps))
    start = ball.start(moved.clamp(-1, 1))
    assert bool((distance(start, exact.float(), norm) <= eps).all())


@pytest.mark.parametrize("seed", range(5))
def test_the_l1_projection_is_the_nearest_point(seed: int) -> None:
    random = np.random.default_rng(seed)
    centre, moved = random.random(8), random.normal(0, 0.7, 8)
    radius = 0.8
    found = l1_projection(
        torch.from_numpy(moved).float().view(1, -1), torch.from_numpy(centre).float().view(1, -1), radius
    ).numpy()[0]
    best = minimize(
        lambda z: ((z[:8] - z[8:] - moved) ** 2).sum(),
        np.zeros(16),
        method="SLSQP",
        bounds=[(0, 1 - c) for c in centre] + [(0, c) for c in centre],
        constraints=[{"type": "ineq", "fun": lambda z: radius - z.sum()}],
        options={"maxiter": 500, "ftol": 1e-12},
    ).x
    assert np.allclose(found, best[:8] - best[8:], atol=2e-4)


@given(st.integers(0, 10**6), st.floats(1e-2, 80), st.floats(1e-2, 10))
def test_the_l1_projection_is_that_of_a_root_finder_in_float64(seed: int, radius: float, spread: float) -> None:
    exact, moved = _draw(seed, spread)
    centre = exact.float()
    found = l1_projection(moved, centre, radius).double().numpy()
    for got, move, place in zip(found, moved.double().numpy(), centre.double().numpy(), strict=True):
        room = np.where(move > 0, 1 - place, place)

        def at(level: float, move: np.ndarray = move, room: np.ndarray = room) -> np.ndarray:
            return np.clip(np.abs(move) - level, 0, room)

        level = 0.0
        if at(0.0).sum() > radius:
            level = brentq(lambda level: at(level).sum() - radius, 0, np.abs(move).max(), xtol=1e-12)
        assert np.abs(got - np.sign(move) * at(level)).max() <= 2e-6 * max(1.0, float(np.abs(move).max()))


def test_the_sparsity_of_a_step_can_be_an_images_own() -> None:
    slope = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (3, 3, 4, 4))).float()
    found = ascent(slope, "l1", kept=torch.tensor([0.0, 0.25, 1.0]))
    assert (found != 0).flatten(1).sum(dim=1).tolist() == [1, 12, 48]
    for row in range(3):
        flat, step = slope[row].flatten(), found[row].flatten()
        assert float(flat[step != 0].abs().min()) >= float(flat[step == 0].abs().max() if (step == 0).any() else 0.0)
        assert torch.equal(step.sign()[step != 0], flat.sign()[step != 0])
        assert float(step.abs().sum()) == pytest.approx(1)


@given(st.integers(0, 10**6), st.integers(1, 30), st.sampled_from(DTYPES))
def test_no_more_pixels_change_than_the_l0_ball_allows(seed: int, count: int, dtype: torch.dtype) -> None:
    exact, moved = _draw(seed, 1.0)
    images = exact.to(dtype)
    ball = Ball.around(images, float(count), "l0")
    found = rounded_towards(ball.project(images.float() + moved), images, dtype)
    assert bool(((found >= 0) & (found <= 1)).all())
    assert bool((distance(found, images, "l0") <= count).all())


@pytest.mark.parametrize("seed", range(5))
def test_the_l0_projection_is_the_nearest_of_all_choices_of_pixels(seed: int) -> None:
    random = np.random.default_rng(seed)
    centre, points = random.random((3, 2, 3)), random.normal(0.5, 1, (3, 2, 3))
    found = l0_projection(*(torch.from_numpy(value)[None] for value in (points, centre)), 2).numpy()[0]
    best = np.inf
    for kept in itertools.combinations(range(6), 2):
        mask = np.isin(np.arange(6), kept).reshape(2, 3)
        best = min(best, float(((np.where(mask, points.clip(0, 1), centre) - points) ** 2).sum()))
    assert ((found != centre).any(axis=0)).sum() <= 2
    assert ((found - points) ** 2).sum() == pytest.approx(best)


@pytest.mark.parametrize(("norm", "seed"), list(itertools.product(("linf", "l1"), range(4))))
def test_the_step_onto_a_hyperplane_is_the_least_by_a_linear_program(norm: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    n, points, normal = 7, random.random(7), random.normal(0, 1, 7)
    reach = np.abs(normal) @ np.where(normal > 0, 1 - points, points)
    gap = 0.6 * reach
    found = onto_hyperplane(*(torch.from_numpy(np.atleast_1d(v)).float()[None] for v in (points, normal)),
                            torch.tensor([gap]).float(), norm).numpy()[0]  # fmt: skip
    assert found @ normal == pytest.approx(gap, rel=1e-4)
    assert ((points + found > -1e-6) & (points + found < 1 + 1e-6)).all()
    bounds = [(-p, 1 - p) for p in points]
    if norm == "linf":
        cost = np.r_[np.zeros(n), 1.0]
        upper = np.block([[np.eye(n), -np.ones((n, 1))], [-np.eye(n), -np.ones((n, 1))]])
        solved = linprog(cost, upper, np.zeros(2 * n), np.r_[normal, 0.0][None], [gap], [*bounds, (0, None)])
        assert np.abs(found).max() == pytest.approx(solved.fun, rel=1e-4)
    else:
        solved = linprog(np.ones(2 * n), A_eq=np.r_[normal, -normal][None], b_eq=[gap],
                         bounds=[*((0, 1 - p) for p in points), *((0, p) for p in points)])  # fmt: skip
        assert np.abs(found).sum() == pytest.approx(solved.fun, rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_the_step_onto_a_hyperplane_in_l2_is_that_of_a_solver(seed: int) -> None:
    random = np.random.default_rng(seed)
    points, normal = random.random(6), random.normal(0, 1, 6)
    gap = -0.7 * np.abs(normal) @ np.where(normal > 0, points, 1 - points)
    found = onto_hyperplane(*(torch.from_numpy(v).float()[None] for v in (points, normal)),
                            torch.tensor([gap]).float(), "l2").numpy()[0]  # fmt: skip
    best = minimize(lambda d: d @ d, np.zeros(6), method="SLSQP", bounds=[(-p, 1 - p) for p in points],
                    constraints=[{"type": "eq", "fun": lambda d: normal @ d - gap}],
                    options={"ftol": 1e-12})  # fmt: skip
    assert np.allclose(found, best.x, atol=1e-3)


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_a_hyperplane_out_of_reach_sends_to_the_corner(norm: str) -> None:
    points, normal = torch.full((1, 4), 0.25), torch.tensor([[1.0, -1.0, 2.0, 0.0]])
    found = onto_hyperplane(points, normal, torch.tensor([100.0]), norm)
    assert torch.allclose(points + found, torch.tensor([[1.0, 0.0, 1.0, 0.25]]), atol=1e-6)


def test_steepest_ascent_has_length_one_and_gains_the_dual_norm() -> None:
    slope = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (2, 3, 10, 10))).float()
    for norm, dual in (("linf", 1), ("l2", 2)):
        step = ascent(slope, norm)
        assert torch.allclose(distance(step, torch.zeros_like(step), norm), torch.ones(2).double(), atol=1e-6)
        gain = (step * slope).flatten(1).sum(dim=1)
        assert torch.allclose(gain, torch.linalg.vector_norm(slope.flatten(1), dual, dim=1), rtol=1e-5)
    sparse = ascent(slope, "l1", kept=0.01)
    assert bool(((sparse != 0).flatten(1).sum(dim=1) == 3).all())
    assert torch.allclose(sparse.abs().flatten(1).sum(dim=1), torch.ones(2))


def test_distances_are_those_of_their_names() -> None:
    first, second = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    second[0, 0, 0, 0], second[0, 1, 0, 0], second[0, 2, 1, 1] = 0.25, 0.5, 1.0
    assert {norm: float(distance(second, first, norm)) for norm in ("l0", "l1", "linf")} == {
        "l0": 2.0, "l1": 1.75, "linf": 1.0
    }  # fmt: skip
    assert float(distance(second, first, "l2")) == pytest.approx((0.0625 + 0.25 + 1) ** 0.5)


def test_senseless_balls_are_refused() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        Ball.around(torch.zeros(SHAPE), 0.0, "linf")
    with pytest.raises(ConfigError, match="linf, l2, l1, l0"):
        Ball.around(torch.zeros(SHAPE), 0.1, "l3")
