"""The loop: it optimises, reports on schedule, names the step of a divergence, and resumes bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from paribus.nn.initial import initialise
from paribus.spec.context import Context, Diverged, Progress, Report, Scalars
from paribus.spec.seed import Streams
from paribus.train import loop
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import SGD, Adam, Optimizer


class _Interrupted(Exception):  # noqa: N818
    pass


def _train(optimizer: Optimizer, context: Context, steps: int = 40) -> nn.Module:
    """Regress noise on noise: every draw comes from a stream named by its step."""
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 3))
    initialise(model, Streams(0))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> StepLoss:
        draws = Streams(0).generator(f"data/step={step}")
        inputs = torch.from_numpy(draws.standard_normal((8, 2, 4, 4), dtype=np.float32))
        value = (model(inputs) - inputs.mean()).square().mean()
        return StepLoss(value, value)

    fit(
        loss,
        model=model,
        optimizer=optimizer.build(model.parameters(), 0.0),
        rate=lambda step, total: 0.01 * (1 - step / total),
        steps=steps,
        context=context,
        points=10,
    )
    return model


@pytest.mark.parametrize("optimizer", [Adam(), SGD(weight_decay=1e-3)], ids=["adam", "sgd"])
def test_an_interrupted_run_ends_with_the_same_bits(
    optimizer: Optimizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    straight: list[Report] = []
    expected = _train(optimizer, Context(seed=0, emit=straight.append)).state_dict()
    for stop in (1, 13, 14, 39):
        reports: list[Report] = []

        def emit(report: Report, stop: int = stop, reports: list[Report] = reports) -> None:
            reports.append(report)
            if report == Progress(stop, 40):
                raise _Interrupted

        scratch = tmp_path / f"{stop}"
        with pytest.raises(_Interrupted):
            _train(optimizer, Context(seed=0, scratch=scratch, emit=emit))
        assert (stop > 1) == (scratch / "checkpoint").exists()
        resumed = _train(optimizer, Context(seed=0, scratch=scratch, emit=reports.append)).state_dict()
        assert all(torch.equal(resumed[name], tensor) for name, tensor in expected.items())
        points = {report.step: report.values for report in reports if isinstance(report, Scalars)}
        assert points == {report.step: report.values for report in straight if isinstance(report, Scalars)}


def test_the_learning_curve_has_its_points_and_means() -> None:
    reports: list[Report] = []
    _train(Adam(), Context(seed=0, emit=reports.append))
    points = [report for report in reports if isinstance(report, Scalars)]
    assert [point.step for point in points] == list(range(4, 41, 4))
    assert points[0].values["learning_rate"] == pytest.approx(0.01 * (1 - 3 / 40))
    assert points[-1].values["train_loss"] < 0.5 * points[0].values["train_loss"]


def _quadratic(
    values: Callable[[int], float], context: Context, measure: object = None, limit: float = math.inf
) -> None:
    model = nn.Linear(1, 1)

    def loss(step: int) -> StepLoss:
        value = model.weight.sum() * 0 + values(step)
        return StepLoss(value * 2, value)

    fit(
        loss,
        model=model,
        optimizer=SGD().build(model.parameters(), 0.1),
        rate=lambda step, total: 0.1,
        steps=20,
        context=context,
        points=4,
        measure=measure,  # type: ignore[arg-type]
        measurements=2,
        limit=limit,
    )


def test_points_hold_the_mean_of_the_shown_loss_and_what_is_measured() -> None:
    reports: list[Report] = []
    _quadratic(float, Context(seed=0, emit=reports.append), measure=lambda: {"accuracy": 0.5})
    points = [report for report in reports if isinstance(report, Scalars)]
    assert [point.values["train_loss"] for point in points] == [2.0, 7.0, 12.0, 17.0]
    assert [point.step for point in points if "accuracy" in point.values] == [10, 20]


def test_a_divergence_names_its_step() -> None:
    with pytest.raises(Diverged, match="inf") as caught:
        _quadratic(lambda step: float("inf") if step >= 7 else 1.0, Context(seed=0))
    assert caught.value.step == 7


def test_a_loss_beyond_the_limit_is_a_divergence() -> None:
    _quadratic(float, Context(seed=0), limit=17.0)
    with pytest.raises(Diverged, match=r"rose to 17, beyond 16\.9") as caught:
        _quadratic(float, Context(seed=0), limit=16.9)
    assert caught.value.step == 20


def test_ctrl_c_tells_where_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    for seconds, expected in ((0.0, 6), (1e9, 0)):
        monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", seconds)
        told: list[int] = []

        def heard(report: Report, told: list[int] = told) -> None:
            if isinstance(report, Progress):
                told.append(report.done)
                if told == [1, 2, 3, 4, 5, 6, 7]:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            _train(Adam(), Context(seed=0, scratch=tmp_path / str(expected), emit=heard))
        assert told == [1, 2, 3, 4, 5, 6, 7, expected]
