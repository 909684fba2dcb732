"""Optimising images: closed forms, torch's own optimisers, one image at a time, and after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.spec.context import Context, Diverged, Progress, Report, Scalars
from paribus.train import optimise as module
from paribus.train.image_optimizer import LBFGS, ImageOptimizer
from paribus.train.optimise import ImageLoss, Optimised, optimise
from paribus.train.optimizer import Adam

TARGET = torch.rand(3, 3, 6, 5, generator=torch.Generator().manual_seed(0))
WEIGHT = 1 + 9 * torch.rand(3, 3, 6, 5, generator=torch.Generator().manual_seed(1))


def bowl(images: Tensor, step: int) -> ImageLoss:
    """An ill-conditioned quadratic with a small quartic term; its minimum is TARGET."""
    gap = images - TARGET[: len(images)]
    weight = WEIGHT[: len(images)]
    objective = (weight * gap.square() + gap.pow(4)).sum(dim=(1, 2, 3))
    return ImageLoss(objective, {"largest": gap.detach().abs().amax(dim=(1, 2, 3))})


def run(optimizer: ImageOptimizer, start: Tensor, steps: int = 40, **more: object) -> Optimised:
    settings: dict[str, object] = {"context": Context(seed=0), "rate": lambda k, n: 0.05, **more}
    if isinstance(optimizer, LBFGS) and "rate" not in more:
        settings["rate"] = lambda k, n: 1.0
    loss = settings.pop("loss", bowl)
    return optimise(loss, start, optimizer=optimizer, steps=steps, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(("optimizer", "steps"), [(Adam(), 1500), (LBFGS(), 40), (LBFGS(longest=0.05), 60)])
def test_it_finds_the_minimum(optimizer: ImageOptimizer, steps: int) -> None:
    decay = (lambda k, n: 0.05 * (1 - k / n)) if isinstance(optimizer, Adam) else (lambda k, n: 1.0)
    found = run(optimizer, torch.zeros_like(TARGET), steps, rate=decay)
    torch.testing.assert_close(found.images, TARGET, atol=2e-4, rtol=0)
    assert found.losses.shape == (3,)
    assert (found.losses < 1e-5).all()


@pytest.mark.parametrize("optimizer", [Adam(), LBFGS()])
def test_an_image_moves_as_it_would_alone(optimizer: ImageOptimizer) -> None:
    together = run(optimizer, torch.zeros_like(TARGET), 15)
    alone = run(optimizer, torch.zeros_like(TARGET[:1]), 15)
    torch.testing.assert_close(together.images[:1], alone.images, atol=1e-6, rtol=1e-5)


def test_adam_is_torchs() -> None:
    found = run(Adam(), torch.zeros_like(TARGET), 12)
    image = torch.zeros_like(TARGET, requires_grad=True)
    reference = torch.optim.Adam([image], lr=0.05)
    for step in range(12):
        reference.zero_grad()
        bowl(image, step).objective.sum().backward()
        reference.step()
    torch.testing.assert_close(found.images, image.detach(), atol=1e-6, rtol=1e-5)


def test_lbfgs_is_torchs_with_many_iterations_in_one_step() -> None:
    found = run(LBFGS(), torch.zeros_like(TARGET[:1]), 12)
    image = torch.zeros_like(TARGET[:1], requires_grad=True)
    reference = torch.optim.LBFGS([image], max_iter=12, history_size=20, tolerance_grad=0, tolerance_change=0)

    def closure() -> Tensor:
        reference.zero_grad()
        loss = bowl(image, 0).objective.sum()
        loss.backward()
        return loss

    reference.step(closure)  # type: ignore[arg-type]
    torch.testing.assert_close(found.images, image.detach(), atol=1e-5, rtol=1e-4)


def test_no_step_of_lbfgs_is_longer_than_its_bound_and_shorter_ones_stay_as_they_are() -> None:
    def steps(longest: float) -> tuple[list[float], Tensor]:
        seen: list[Tensor] = []

        def loss(images: Tensor, step: int) -> ImageLoss:
            seen.append(images.detach().clone())
            return bowl(images, step)

        found = run(LBFGS(longest=longest), torch.zeros_like(TARGET), 20, loss=loss)
        moved = torch.stack(seen).diff(dim=0).square().mean(dim=(2, 3, 4)).sqrt()
        return moved.amax(dim=0).tolist(), found.images

    free, images = steps(0.0)
    assert min(free) > 0.05
    assert max(steps(0.03)[0]) == pytest.approx(0.03, rel=1e-3)
    assert torch.equal(steps(10.0)[1], images)
    still = torch.zeros(1, 3, 6, 5)
    flat = run(LBFGS(longest=0.1), still, 3, loss=lambda x, step: ImageLoss(0 * x.sum(dim=(1, 2, 3))))
    assert torch.equal(flat.images, still)
    with pytest.raises(ConfigError, match="longest step of L-BFGS is -1"):
        LBFGS(longest=-1)


class Stopped(Exception):  # noqa: N818
    pass


def _stopping(at: int) -> Callable[[Tensor, int], ImageLoss]:
    def loss(images: Tensor, step: int) -> ImageLoss:
        if step == at:
            raise Stopped
        return bowl(images, step)

    return loss


@pytest.mark.parametrize("optimizer", [Adam(), LBFGS(history=5), LBFGS(longest=0.02)])
@pytest.mark.parametrize("at", [1, 7, 19])
def test_an_interrupted_run_ends_with_the_same_bits(
    optimizer: ImageOptimizer, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    start = torch.zeros_like(TARGET)
    whole = run(optimizer, start, 25)
    context = Context(seed=0, scratch=tmp_path / "here")
    with pytest.raises(Stopped):
        run(optimizer, start, 25, loss=_stopping(at), context=context)
    assert context.load_checkpoint() is not None
    again = run(optimizer, start, 25, context=context)
    assert torch.equal(whole.images, again.images)
    assert np.array_equal(whole.losses, again.losses)
    assert np.array_equal(whole.snapshots, again.snapshots)


@pytest.mark.parametrize("optimizer", [Adam(), LBFGS(), LBFGS(longest=0.05)])
@pytest.mark.parametrize("where", ["in the loss", "in a step", "between two"])
def test_ctrl_c_keeps_what_is_whole_and_tells_where_it_goes_on(
    optimizer: ImageOptimizer, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept by the clock; the images are moved by a step or not at all."""
    start, calls, progress = torch.zeros_like(TARGET), [0], [0]
    monkeypatch.setattr(module, "SHOW_SECONDS", 0.0)
    whole = run(optimizer, start, 25, project=lambda x: x.clamp_(0.1, 0.7))

    def interrupted(images: Tensor) -> Tensor:
        calls[0] += 1
        if calls[0] == (3 * 9 + 1 if isinstance(optimizer, LBFGS) else 10):
            raise KeyboardInterrupt
        return images.clamp_(0.1, 0.7)

    def bowl_until(images: Tensor, step: int) -> ImageLoss:
        if where == "in the loss" and step == 9:
            raise KeyboardInterrupt
        return bowl(images, step)

    def heard(report: Report) -> None:
        if isinstance(report, Progress):
            last, progress[0] = progress[0], report.done
            if where == "between two" and last == 8 and report.done == 9:
                raise KeyboardInterrupt

    project = interrupted if where == "in a step" else lambda x: x.clamp_(0.1, 0.7)
    context = Context(seed=0, scratch=tmp_path / "here", emit=heard)
    with pytest.raises(KeyboardInterrupt):
        run(optimizer, start, 25, loss=bowl_until, project=project, context=context)
    assert progress == ([0] if where == "in a step" else [9])
    assert (context.load_checkpoint() is None) is (where == "in a step")
    steps: list[int] = []

    def counted(images: Tensor, step: int) -> ImageLoss:
        steps.append(step)
        return bowl(images, step)

    again = run(optimizer, start, 25, loss=counted, project=lambda x: x.clamp_(0.1, 0.7), context=context)
    assert steps[0] == (0 if where == "in a step" else 9)
    assert torch.equal(whole.images, again.images)
    assert np.array_equal(whole.losses, again.losses)
    assert np.array_equal(whole.snapshots, again.snapshots)


def test_a_damaged_checkpoint_costs_time_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    start, context = torch.zeros_like(TARGET), Context(seed=0, scratch=tmp_path)
    with pytest.raises(Stopped):
        run(Adam(), start, 25, loss=_stopping(9), context=context)
    (tmp_path / "checkpoint").write_bytes(b"\xff" * 200)
    assert torch.equal(run(Adam(), start, 25, context=context).images, run(Adam(), start, 25).images)


def test_what_is_reported() -> None:
    reports: list[Report] = []
    found = run(Adam(), torch.zeros_like(TARGET), 20, context=Context(seed=0, emit=reports.append), points=4)
    curve = [report for report in reports if isinstance(report, Scalars)]
    assert [point.step for point in curve] == [5, 10, 15, 20]
    assert set(curve[0].values) == {"loss", "largest"}
    assert curve[0].values["loss"] > curve[-1].values["loss"]
    assert found.snapshots.shape == (len(found.snapshot_steps), 3, 6, 5, 3)
    assert found.snapshot_steps[0] == 0
    assert found.snapshot_steps[-1] == 20
    assert found.strip[0].max() == 0
    assert np.array_equal(found.strip[-1], (found.images[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())


def test_images_are_projected_after_each_step() -> None:
    found = run(Adam(), torch.zeros_like(TARGET), 200, project=lambda x: x.clamp_(0.3, 0.6))
    torch.testing.assert_close(found.images, TARGET.clamp(0.3, 0.6), atol=1e-3, rtol=0)


def test_lbfgs_goes_on_along_the_bounds() -> None:
    """A coupled quadratic whose minimum lies outside: without the true steps L-BFGS repeats one that leads nowhere."""
    random = torch.Generator().manual_seed(3)
    size = TARGET[0].numel()
    factor = torch.randn(size, size, generator=random)
    matrix = factor @ factor.T / size + 0.05 * torch.eye(size)
    centre = 1.5 * torch.randn(size, generator=random)

    def loss(images: Tensor, step: int) -> ImageLoss:
        gap = images.flatten(1) - centre
        return ImageLoss(((gap @ matrix) * gap).sum(dim=1))

    def bounded(optimizer: ImageOptimizer, steps: int, rate: float) -> float:
        start = torch.full((1, *TARGET.shape[1:]), 0.5)
        found = run(optimizer, start, steps, loss=loss, project=lambda x: x.clamp_(0, 1), rate=lambda k, n: rate)
        assert found.images.min() >= 0
        assert found.images.max() <= 1
        return float(found.losses[0])

    best, begun = bounded(Adam(), 4000, 0.003), bounded(Adam(), 1, 0.0)
    assert bounded(LBFGS(), 200, 1.0) - best < 0.1 * (begun - best)


def test_a_loss_that_is_no_number_is_divergence() -> None:
    def loss(images: Tensor, step: int) -> ImageLoss:
        return ImageLoss(images.sum(dim=(1, 2, 3)) * (float("nan") if step > 4 else 1.0))

    with pytest.raises(Diverged) as raised:
        run(Adam(), torch.zeros_like(TARGET), 20, loss=loss, points=10)
    assert raised.value.step == 6
