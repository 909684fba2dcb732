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
from paribus.labs.adversarial import watching
from paribus.labs.adversarial.attacks.ensemble import in_turn
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import Search
from paribus.labs.adversarial.experiments import Attacker, Config, Protocol, SaltAndPepper, Trained
from paribus.labs.adversarial.protocol import attack_named, attacks_of
from paribus.labs.adversarial.run import attacked_by, run, victim_of
from paribus.labs.adversarial.watching import Watched, evaluations, watched
from paribus.nn.networks.layered import Layered
from paribus.spec.context import Artifact, Context, Picture, Progress, Report
from paribus.spec.seed import Streams
from paribus.train import loop


def _firm(images: Tensor) -> Tensor:
    """Answer 0 of four classes by a margin that no change of pixels can make good."""
    slopes = torch.linspace(-1, 1, 4 * images[0].numel()).view(4, -1)
    return images.flatten(1) @ slopes.T + torch.tensor([1e5, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize(("by", "norm"), PAIRS)
def test_an_attack_that_finds_nothing_asks_as_often_as_was_said(by: str, norm: str, targeted: bool) -> None:
    how = Protocol(norm=norm, eps=2.0, attacks=(by,), steps=12, queries=15, searches=3, restarts=2)
    asked: list[int] = []

    def model(images: Tensor) -> Tensor:
        asked.append(len(images))
        return _firm(images)

    image, label = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0])
    target = torch.tensor([2]) if targeted else None
    attacks = attacks_of(how)
    found, _ = in_turn(attacks, model, image, label, streams=Streams(0), target=target)
    most = sum(evaluations(attack, 4, targeted=targeted) for attack in attacks.values())
    assert not bool(found.success)
    assert sum(asked) <= most  # of one image; runs side by side ask about it once each
    # Some are given up sooner, look twice after finds, or leave out a square that would change nothing.
    if by not in ("fab_t", "autoattack", "carlini_wagner", "elastic_net", "square"):
        assert sum(asked) >= most - 1  # the look at the result
    assert sum(asked) >= 0.4 * most


def test_runs_side_by_side_count_as_so_many_and_no_image_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SHOW_SECONDS", 0.0)
    images, labels = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 0])
    reports: list[Report] = []
    attack = PGD(eps=0.1, steps=3, restarts=7)
    (seen,) = watched({"pgd": attack}, Context(seed=0, emit=reports.append), classes=4).values()
    seen(_firm, images, labels, streams=Streams(0))
    progress = [report for report in reports if isinstance(report, Progress)]
    assert [report.done for report in progress[:-1]] == [1, 2, 3, 4, 5, *range(11, 30, 6)]
    assert {report.total for report in progress} == {evaluations(attack, 4)} == {2 + 7 * 4}
    assert {report.doing for report in progress[:-1]} == {"pgd, on 2 of 2 images"}


def test_the_strip_of_several_runs_shows_the_first() -> None:
    images, labels = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0])
    frames: dict[int, Tensor] = {}
    for restarts in (1, 7):
        reports: list[Report] = []
        attack = {"pgd": PGD(eps=0.1, steps=20, restarts=restarts)}
        (seen,) = watched(attack, Context(seed=0, emit=reports.append), classes=4, strip=True).values()
        seen(_firm, images, labels, streams=Streams(0))
        (strip,) = (report for report in reports if isinstance(report, Artifact))
        frames[restarts] = torch.from_numpy(strip.array)
    assert len(frames[1]) >= 6
    assert torch.equal(frames[1], frames[7])


def test_an_ensemble_is_its_parts_in_turn() -> None:
    images, labels = digits("test", 12)
    how = Protocol(norm="linf", eps=0.05, attacks=("pgd", "autoattack"), steps=4, queries=6)
    attacks = attacks_of(how)
    assert list(attacks) == ["pgd", *(f"autoattack/{name}" for name in ("apgd_ce", "apgd_t", "fab_t", "square"))]
    whole = {name: attack_named(name, how) for name in how.attacks}
    (apart, left), (together, _) = (
        in_turn(one, network(), images, labels, streams=Streams(0)) for one in (attacks, whole)
    )
    assert torch.equal(apart.images, together.images)
    assert torch.equal(apart.queries, together.queries)
    assert left["autoattack/square"] == int((~together.success).sum()) > 0


@pytest.mark.parametrize("by", ["pgd", "square", "course"])
def test_who_watches_changes_nothing_and_sees_progress_and_pictures(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SHOW_SECONDS", 0.0)
    images, labels = digits("test", 3)
    image, label = images[2:], labels[2:]
    attack = attack_named(by, Protocol(norm="l2", eps=0.4, steps=15, queries=40))
    reports: list[Report] = []
    (seen_attack,) = watched({by: attack}, Context(seed=0, emit=reports.append), classes=10).values()
    alone, seen = (one(network(), image, label, streams=Streams(0)) for one in (attack, seen_attack))
    assert torch.equal(alone.images, seen.images)
    assert torch.equal(alone.queries, seen.queries)
    most = evaluations(attack, 10)
    progress = [report for report in reports if isinstance(report, Progress)]
    assert [report.done for report in progress] == [*range(1, len(progress)), most]
    assert {report.total for report in progress} == {most}
    assert {report.name for report in reports if isinstance(report, Picture)} == {"result", "perturbation, amplified"}
    logits = network()(image)[0]
    right = int(label[0])
    other = max(float(logits[k]) for k in range(10) if k != right)
    assert progress[0].doing == f"{by}, margin {other - float(logits[right]):.3g}"


def test_a_trial_says_which_attack_it_is_at_on_how_many_images_and_never_goes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "SHOW_SECONDS", 0.0)
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    config = Config(
        victim=Trained(widths=(4,), steps=30, batch_size=16),
        protocol=Protocol(attacks=("pgd", "square"), eps=0.02, steps=4, queries=7, images=20),
    )
    reports: list[Report] = []
    run(config, Context(seed=0, emit=reports.append))
    progress = [report for report in reports if isinstance(report, Progress)]
    done = [report.done for report in progress]
    assert done == sorted(done)
    pgd, square = 2 + 4 + 1, 2 + 7 + 1
    tests = 2 * (2 + 4 + 1) + (2 + 2) + 2 * (2 + 20 + 1) + (2 + 20) + (2 + 7 + 1) + (2 + 1)
    assert {report.total for report in progress} == {30 + pgd + square + 30 + tests}
    assert done[-1] == progress[-1].total
    assert [report.doing for report in progress[:30]] == [""] * 30
    first = next(report for report in progress if report.doing.startswith("pgd"))
    assert (first.done, first.doing) == (31, "pgd, attack 1 of 2, on 20 of 20 images")
    left = [report.doing for report in progress if "attack 2 of 2, on " in report.doing]
    assert left
    assert all(text.startswith("square") and not text.endswith("20 of 20 images") for text in left)
    assert any("masking test 8 of 8" in report.doing for report in progress)


def test_the_number_told_is_that_of_the_images_that_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SHOW_SECONDS", 0.0)
    images, labels = digits("test", 20)
    reports: list[Report] = []
    attack = PGD(eps=0.1, steps=6)
    (seen,) = watched({"pgd": attack}, Context(seed=0, emit=reports.append), classes=10).values()
    standing: list[int] = []
    alive = Search.offer

    def heard(search: Search, points: Tensor, logits: Tensor, which: Tensor, *, exact: bool = False) -> Tensor:
        standing.append(len(search.alive))  # before this look, the images that it is about
        return alive(search, points, logits, which, exact=exact)

    monkeypatch.setattr(Search, "offer", heard)
    seen(network(), images, labels, streams=Streams(0))
    told = [int(report.doing.split("on ")[1].split()[0]) for report in reports if isinstance(report, Progress)
            and " on " in report.doing]  # fmt: skip
    assert told[: len(standing)] == standing
    assert standing[-1] < 20


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_random_model_and_a_stand_in_are_watched_as_what_they_are(adaptive: bool) -> None:
    config = Config(
        victim=Trained(widths=(4,), steps=20, batch_size=16), defence=SaltAndPepper(),
        attacker=Attacker(adaptive=adaptive, draws=2),
        protocol=Protocol(attacks=("pgd",), eps=0.1, steps=3, queries=3, images=10),
    )  # fmt: skip
    reports: list[Report] = []
    victim, _ = victim_of(config, Context(seed=0))
    images, labels = digits("test", 10)
    attack = PGD(eps=0.1, steps=3)
    bare, model = (attacked_by(config, victim, Context(seed=0)) for _ in range(2))
    listening = Context(seed=0, emit=reports.append)
    (one,) = watched({"pgd": attack}, listening, classes=10, random=["pgd"] if model.random else []).values()
    alone = attack(bare, images, labels, streams=Streams(0))
    seen = one(model, images, labels, streams=Streams(0))
    assert torch.equal(alone.images, seen.images)
    assert torch.equal(alone.loss, seen.loss)
    assert bool(torch.isfinite(seen.loss).all())  # the point with the largest loss is kept, as of no other model
    assert {report.total for report in reports if isinstance(report, Progress)} == {30 if adaptive else 6}


def test_an_attack_that_runs_the_layers_itself_is_watched_too() -> None:
    images, labels = digits("test", 7)
    reports: list[Report] = []
    model = Watched(network(), images, labels, total=9, what="square", context=Context(seed=0, emit=reports.append))
    seen = images
    for layer in model.in_sequence():
        seen = layer(seen)
    assert torch.equal(seen, network()(images))
    assert reports == [Progress(1, 9, "square, on 7 of 7 images")]


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
    assert lines[0].startswith("slope.png: square against small_vgg: step 1 of 9, square, margin -")
    assert "done in" in lines[-1]


def test_an_interrupted_attack_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("paribus.labs.adversarial.watching.SHOW_SECONDS", 0.0)
    picture, (out, strip) = _picture(tmp_path / "slope.png"), (tmp_path / name for name in ("out.png", "strip.png"))
    by = ["--attack", "carlini_wagner", "--norm", "l2", "--steps", "5", "--out", str(out), "--strip", str(strip)]
    arguments = ["adversarial", "attack", str(picture), *by]
    asked, stop_at, logits = 0, 20, Layered.logits

    def counted(self: Layered, images: Tensor) -> Tensor:
        nonlocal asked
        asked += 1
        if asked == stop_at:
            signal.raise_signal(signal.SIGINT)
        return logits(self, images)

    monkeypatch.setattr(Layered, "logits", counted)
    assert main(arguments) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "stopped; the same command goes on from step 18"
    assert not out.exists()
    asked, stop_at = 0, -1
    assert main(arguments) == 0
    resumed, asked = asked, 0
    files = out.read_bytes(), strip.read_bytes()
    assert not list((tmp_path / "cache").rglob("answers"))
    assert main(arguments) == 0
    assert (out.read_bytes(), strip.read_bytes()) == files
    assert resumed <= asked - 18 + 2
