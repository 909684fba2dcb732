"""An attack on a picture while it runs: what is shown, that it changes nothing, and what an interruption says."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from adversarial.sample import PAIRS, digits, network
from paribus.cli import main
from paribus.labs.adversarial.attacks.search import Search
from paribus.labs.adversarial.experiments import Protocol
from paribus.labs.adversarial.protocol import attack_named
from paribus.labs.adversarial.watching import Watched, evaluations
from paribus.spec.context import Context, Picture, Progress, Report, Scalars
from paribus.spec.seed import Streams


def _firm(images: Tensor) -> Tensor:
    """Answer 0 of four classes by a margin that no change of pixels can make good."""
    slopes = torch.linspace(-1, 1, 4 * images[0].numel()).view(4, -1)
    return images.flatten(1) @ slopes.T + torch.tensor([1e5, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(("by", "norm"), PAIRS)
def test_an_attack_that_finds_nothing_asks_as_often_as_was_said(by: str, norm: str, targeted: bool) -> None:
    attack = attack_named(by, Protocol(norm=norm, eps=2.0, steps=12, queries=15, searches=3, restarts=2))
    asked: list[int] = []

    def model(images: Tensor) -> Tensor:
        asked.append(len(images))
        return _firm(images)

    image, label = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0])
    target = torch.tensor([2]) if targeted else None
    found = attack(model, image, label, streams=Streams(0), target=target)
    most = evaluations(attack, 4, targeted=targeted)
    assert not bool(found.success)
    assert len(asked) <= most
    if by not in ("fab_t", "autoattack", "carlini_wagner"):  # which are given up sooner, or look twice after finds
        assert len(asked) >= most - 1  # the look at the result


@pytest.mark.parametrize("by", ["pgd", "square", "course"])
def test_who_watches_changes_nothing_and_sees_progress_and_pictures(by: str) -> None:
    images, labels = digits("test", 3)
    image, label = images[2:], labels[2:]
    attack = attack_named(by, Protocol(norm="l2", eps=0.4, steps=15, queries=40))
    reports: list[Report] = []
    most = evaluations(attack, 10, targeted=False)
    watched = Watched(network(), image, label, total=most, context=Context(seed=0, emit=reports.append))
    alone, seen = (attack(model, image, label, streams=Streams(0)) for model in (network(), watched))
    assert torch.equal(alone.images, seen.images)
    assert torch.equal(alone.queries, seen.queries)
    progress = [report for report in reports if isinstance(report, Progress)]
    assert [report.done for report in progress] == list(range(1, len(progress) + 1))
    assert {report.total for report in progress} == {most}
    assert {report.name for report in reports if isinstance(report, Picture)} == {"result", "perturbation, amplified"}
    first = next(report for report in reports if isinstance(report, Scalars))
    logits = network()(image)[0]
    right = int(label[0])
    other = max(float(logits[k]) for k in range(10) if k != right)
    assert first.values == {"margin": pytest.approx(other - float(logits[right]))}


def _picture(path: Path) -> Path:
    rows, columns = np.mgrid[0:32, 0:32]
    Image.fromarray(np.stack([8 * columns, 8 * rows, 4 * (rows + columns)], axis=2).astype(np.uint8)).save(path)
    return path


def test_the_verb_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("paribus.report.watch.LINE_SECONDS", 0.0)
    picture, out = _picture(tmp_path / "slope.png"), tmp_path / "out.png"
    arguments = ["--attack", "square", "--queries", "6", "--eps", "0.004", "--out", str(out)]
    assert main(["adversarial", "attack", str(picture), *arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("slope.png: square against small_vgg: step 1 of 9")
    assert "margin -" in lines[1]
    assert "done in" in lines[-1]


def test_an_interrupted_attack_says_that_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> Tensor:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(Search, "gradient", interrupted)
    picture, out = _picture(tmp_path / "slope.png"), tmp_path / "out.png"
    assert main(["adversarial", "attack", str(picture), "--out", str(out)]) == 130
    error = capsys.readouterr().err
    assert error == "slope.png: interrupted; nothing is kept, and the same command starts anew\n"
    assert not out.exists()
