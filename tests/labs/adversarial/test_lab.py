"""The lab as a whole: training, protocol, checks for masked gradients."""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from adversarial.sample import TINY, digits, network
from paribus.data.image_folder import find_files
from paribus.errors import ConfigError, DataError
from paribus.labs.adversarial import LAB, watching
from paribus.labs.adversarial import check as checks
from paribus.labs.adversarial.attacks.course import CourseAttack, averaged_total_variation
from paribus.labs.adversarial.experiments import (
    BASELINE,
    Attacker,
    Config,
    Course,
    Protocol,
    Recipe,
    SaltAndPepper,
    Trained,
)
from paribus.labs.adversarial.panel import amplification, panel
from paribus.labs.adversarial.protocol import attack_named, targets
from paribus.labs.adversarial.run import run
from paribus.labs.adversarial.training import Learner, Watch
from paribus.labs.adversarial.victim import SmallNetwork, build, fixed
from paribus.nn.networks.load import CIFAR10
from paribus.nn.networks.names import Fixed, embedded_path
from paribus.spec.context import Artifact, Context, Diverged, Outcomes, Progress, Report, Scalars
from paribus.spec.registry import experiment
from paribus.spec.seed import Streams
from paribus.train import loop


def test_the_small_network_computes_what_its_layers_say() -> None:
    model = build(Trained(), 10, Streams(0))
    assert sum(p.numel() for p in model.parameters()) == (75 * 16 + 16) + (144 * 32 + 32) + (512 * 10 + 10)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert SmallNetwork((4, 5, 6), 3, size=64)(torch.zeros(1, 3, 64, 64)).shape == (1, 3)


@pytest.mark.parametrize("kind", ["natural", "pgd", "trades", "free", "fast"])
def test_an_interrupted_training_ends_with_the_same_bits(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    config = replace(TINY, victim=replace(TINY.victim, recipe=Recipe(kind=kind, attack_steps=2)))  # type: ignore[type-var]
    expected = run(config, Context(seed=1))

    class Interrupted(Exception):  # noqa: N818
        pass

    def emit(report: Report) -> None:
        if isinstance(report, Progress) and report.done == 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(config, Context(seed=1, scratch=tmp_path, emit=emit))
    reports: list[Report] = []
    assert run(config, Context(seed=1, scratch=tmp_path, emit=reports.append)) == expected
    assert min(report.step for report in reports if isinstance(report, Scalars)) > 3


@pytest.mark.parametrize("where", ["apgd_ce, attack 2", "naive apgd_ce, attack 4", "noise, mask"])
def test_an_interrupted_trial_goes_on_with_the_next_attack_and_ends_with_the_same_bits(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SHOW_SECONDS", 0.0)
    config = replace(
        TINY, defence=SaltAndPepper(), attacker=Attacker(adaptive=True, draws=2),
        victim=replace(TINY.victim, steps=40),
        protocol=Protocol(attacks=("pgd", "apgd_ce"), eps=0.03, steps=3, queries=2, images=16),
    )  # type: ignore[type-var]  # fmt: skip

    class Interrupted(Exception):  # noqa: N818
        pass

    def told(scratch: Path | None, until: str = "-") -> tuple[dict[str, float], dict[str, bytes], list[str]]:
        kept: dict[str, bytes] = {}
        doing: list[str] = []

        def emit(report: Report) -> None:
            if isinstance(report, Progress):
                doing.append(report.doing)
                if report.doing.startswith(until):
                    raise Interrupted
            if isinstance(report, Outcomes):
                kept[report.metric] = report.correct.tobytes()
            if isinstance(report, Artifact):
                kept[report.name] = report.array.tobytes()

        with contextlib.suppress(Interrupted):
            return dict(run(config, Context(seed=1, scratch=scratch, emit=emit))), kept, doing
        return {}, kept, doing

    metrics, kept, doing = told(None)
    assert any(text.startswith(where) for text in doing)
    stopped, before, _ = told(tmp_path, where)
    again, after, went_on = told(tmp_path)
    assert stopped == {}
    assert again == metrics
    assert before | after == kept
    assert next(text for text in went_on if text).startswith(where if "attack" in where else "a substitute")


def test_training_examples_stay_in_the_ball_and_climb() -> None:
    images, labels = digits("train", 32)
    victim = Trained(recipe=Recipe(kind="pgd", eps=0.05, attack_steps=5))
    learner = Learner(network(), victim, tuple(images.shape), Streams(0))
    moved = learner.climb(images, 0, lambda logits: nn.functional.cross_entropy(logits, labels))
    assert float((moved - images).abs().max()) <= 0.05 + 1e-6
    assert float(moved.min()) >= 0
    assert float(moved.max()) <= 1
    before, after = (float(nn.functional.cross_entropy(network()(x), labels)) for x in (images, moved))
    assert after > 3 * before


def test_trades_is_its_formula() -> None:
    images, labels = digits("train", 8)
    victim = Trained(recipe=Recipe(kind="trades", beta=2.0))
    learner = Learner(network(), victim, tuple(images.shape), Streams(0))
    found = float(learner.loss(images, labels, 3))
    with torch.no_grad():
        clean = torch.softmax(network()(images).double(), dim=1)

    def apart(logits: Tensor) -> Tensor:
        q = torch.log_softmax(logits, dim=1)
        return (clean.float() * (clean.float().log() - q)).sum(dim=1).mean()

    moved = learner.climb(images, 3, apart)
    q = torch.softmax(network()(moved).double(), dim=1)
    expected = -clean.gather(1, labels[:, None]).log().mean() + 2 * (clean * (clean / q).log()).sum(dim=1).mean()
    assert found == pytest.approx(float(expected), rel=1e-4)


def test_the_gradient_of_trades_goes_through_both_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of z = W x + b, with answers p, q to x, x': dL/dz = p - y + beta p (log p/q - KL), of z' beta (q - p)."""
    random, beta = np.random.default_rng(0), 2.5
    clean, moved = random.random((2, 6, 3, 2, 2))
    labels, weight, bias = random.integers(0, 4, 6), random.normal(0, 1, (4, 12)), random.normal(0, 1, 4)
    linear = nn.Linear(12, 4).double()
    linear.weight.data, linear.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
    victim = Trained(recipe=Recipe(kind="trades", beta=beta))
    learner = Learner(nn.Sequential(nn.Flatten(), linear), victim, clean.shape, Streams(0))
    monkeypatch.setattr(learner, "climb", lambda *_: torch.from_numpy(moved))
    learner.loss(torch.from_numpy(clean), torch.from_numpy(labels), 0).backward()
    expected = np.zeros_like(weight)
    for x, other, label in zip(clean.reshape(6, 12), moved.reshape(6, 12), labels, strict=True):
        p, q = (np.exp(weight @ at + bias) / np.exp(weight @ at + bias).sum() for at in (x, other))
        apart = (p * np.log(p / q)).sum()
        here = p - np.eye(4)[label] + beta * p * (np.log(p / q) - apart)
        expected += (np.outer(here, x) + np.outer(beta * (q - p), other)) / 6
    assert linear.weight.grad is not None
    assert np.allclose(linear.weight.grad.numpy(), expected, rtol=1e-10)


def test_free_training_climbs_with_the_gradient_of_the_weights_step() -> None:
    images, labels = digits("train", 8)
    model = build(Trained(), 10, Streams(0))
    learner = Learner(model, Trained(recipe=Recipe(kind="free", eps=0.05)), tuple(images.shape), Streams(0))
    variable = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(nn.functional.cross_entropy(model(variable), labels), variable)
    learner.loss(images, labels, 0).backward()
    assert torch.allclose(learner.perturbation, 0.05 * slope.sign(), atol=1e-7)
    assert model.classifier.weight.grad is not None


def test_overfitting_to_the_single_step_is_told_from_robustness() -> None:
    images, labels = digits("test", 20)
    watch = Watch(network(), images, labels, 0.05, Streams(0))
    found = watch.look()
    assert set(found) == {"robust_validation", "single_step_validation"}
    watch.robust, watch.single = [0.7, 0.05], [0.75, 0.8]
    assert watch.overfitted
    watch.robust = [0.1, 0.7]
    assert not watch.overfitted


def test_robust_accuracy_is_the_worst_case_and_outcomes_say_which() -> None:
    reports: list[Report] = []
    metrics = run(replace(TINY, protocol=replace(TINY.protocol, eps=0.02)), Context(seed=0, emit=reports.append))
    outcomes = {report.metric: report.correct for report in reports if isinstance(report, Outcomes)}
    assert outcomes["robust_accuracy"].mean() == pytest.approx(metrics["robust_accuracy"])
    assert outcomes["natural_accuracy"].mean() == pytest.approx(metrics["natural_accuracy"])
    assert not (outcomes["robust_accuracy"] & ~outcomes["natural_accuracy"]).any()
    alone = [
        run(replace(TINY, protocol=replace(TINY.protocol, eps=0.02, attacks=(name,))), Context(seed=0))
        for name in TINY.protocol.attacks
    ]
    assert metrics["robust_accuracy"] <= min(one["robust_accuracy"] for one in alone)
    broken = metrics["natural_accuracy"] - metrics["robust_accuracy"]
    assert metrics["attack_success"] == pytest.approx(broken / max(metrics["natural_accuracy"], 1e-9))


def test_a_victim_whose_answers_are_no_numbers_has_diverged(monkeypatch: pytest.MonkeyPatch) -> None:
    victim = build(TINY.victim, 10, Streams(0))  # type: ignore[arg-type]
    victim.classifier.bias.data[3] = float("nan")
    monkeypatch.setattr("paribus.labs.adversarial.run.victim_of", lambda *_: (victim, {"overfitting": 0.0}))
    with pytest.raises(Diverged, match="clean images are not finite"):
        run(TINY, Context(seed=0))


def test_trials_tell_both_sides_of_the_price_of_robustness() -> None:
    studies = {study.name.partition(".")[2]: study for study in LAB.studies}
    price, both = studies["price"], {"natural_accuracy", "robust_accuracy"}
    assert {name.rpartition("/")[2] for name in price.arms} >= {"trades=1", "trades=3", "trades=10", "pgd_training"}
    assert {price.metric, *price.beside} == both == {studies["training"].metric, *studies["training"].beside}
    for name in price.names:
        config = experiment(name).config
        victim = replace(config.victim, widths=(4,), steps=4, batch_size=16, examples=100)  # type: ignore[attr-defined]
        metrics = run(replace(config, victim=victim, protocol=TINY.protocol), Context(seed=0))  # type: ignore[type-var]
        assert both <= set(metrics)
        assert metrics["robust_accuracy"] <= metrics["natural_accuracy"]
        assert all(set(study.beside) <= set(metrics) for study in LAB.studies)


def test_targets_are_never_the_label_and_take_every_other_class() -> None:
    labels = torch.arange(1000) % 10
    found = targets(labels, 10, Streams(0))
    assert not bool((found == labels).any())
    assert set(((found - labels) % 10).tolist()) == set(range(1, 10))
    targeted = run(replace(TINY, attacker=Attacker(targeted=True)), Context(seed=0))
    assert targeted["robust_accuracy"] >= run(TINY, Context(seed=0))["robust_accuracy"]


def test_the_course_loss_is_its_formula_in_float64() -> None:
    random = np.random.default_rng(0)
    images = torch.from_numpy(random.random((2, 3, 5, 4))).requires_grad_()
    x = images.detach().numpy()
    for row in range(2):
        down = np.mean([abs(x[row, c, i + 1, j] - x[row, c, i, j])
                        for c, i, j in itertools.product(range(3), range(4), range(4))])  # fmt: skip
        across = np.mean([abs(x[row, c, i, j + 1] - x[row, c, i, j])
                          for c, i, j in itertools.product(range(3), range(5), range(3))])  # fmt: skip
        assert float(averaged_total_variation(images.detach())[row]) == pytest.approx(down + across)
    assert torch.autograd.gradcheck(averaged_total_variation, images)


def test_the_course_attack_comes_nearer_with_a_larger_c() -> None:
    images, labels = digits("test", 10)
    found = [
        CourseAttack(settings=Course(c=c, rate=0.02), steps=40)(network(), images, labels, streams=Streams(0))
        for c in (0.01, 1.0)
    ]
    both = found[0].success & found[1].success
    assert int(both.sum()) > 5
    assert float(found[1].distance[both].median()) <= float(found[0].distance[both].median())


@pytest.mark.parametrize(
    ("name", "classes", "message"),
    [
        ("small_vgg", ("a", "b", "c"), "knows 10 classes, digits has 3"),
        ("small_vgg", tuple("0123456789"), "class 0 of small_vgg (cifar10) is 'airplane', of digits '0'; take data of"),
        ("small_vgg_robust", (*CIFAR10[:8], "truck", "ship"), "class 8 of small_vgg (cifar10_robust) is 'ship'"),
        ("network=small_vgg:random", ("a", "b", "c"), "knows 10 classes, digits has 3"),
    ],
)
def test_a_fixed_victim_must_know_the_classes_of_the_data(name: str, classes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        fixed(experiment(f"adversarial/{name}").config, classes, Streams(0))
    assert "\n" not in str(raised.value)


def test_a_fixed_victim_takes_data_of_its_classes_and_what_has_no_names_any_ten(tmp_path: Path) -> None:
    for label in reversed(CIFAR10):
        (tmp_path / label).mkdir()
        for index in range(4):
            Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / label / f"{index}.png")
    own = find_files(tmp_path)[1]
    for name, classes in (("small_vgg", own), ("network=small_vgg:random", tuple("0123456789"))):
        assert fixed(experiment(f"adversarial/{name}").config, classes, Streams(0)).classes == CIFAR10
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(embedded_path(Fixed(weights="cifar10")).read_bytes())
    fixed(Config(victim=Fixed(weights=str(weights))), tuple("0123456789"), Streams(0))


def test_an_imagenet_network_takes_folders_with_wordnet_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(classes=("tench", "goldfish"))
    monkeypatch.setattr("paribus.labs.adversarial.victim.load", lambda *_: other)
    config = Config(victim=Fixed(name="resnet18", weights="imagenet"))
    assert fixed(config, ("n01440764", "n01443537"), Streams(0)) is other
    with pytest.raises(ConfigError, match="class 1 of resnet18"):
        fixed(config, ("tench", "gold"), Streams(0))


def test_an_experiment_with_digits_for_photographs_is_refused_when_it_runs() -> None:
    config = experiment("adversarial/small_vgg/by_fgsm").config
    with pytest.raises(ConfigError, match="class 0 of small_vgg"):
        run(config, Context(seed=0))


def test_an_attack_in_the_wrong_norm_is_refused() -> None:
    with pytest.raises(ConfigError, match="measures in l2, the protocol in linf"):
        attack_named("carlini_wagner", Protocol())
    with pytest.raises(ConfigError):
        Protocol(attacks=("pdg",))
    with pytest.raises(ConfigError):
        Recipe(kind="odd")
    assert experiment("adversarial/l2/small_vgg").config.protocol.norm == "l2"
    assert experiment("adversarial").config == BASELINE


def test_the_digest_covers_what_a_run_imports() -> None:
    folder = Path(checks.__file__).parent
    covered = {path for place in LAB.source for path in ([place] if place.is_file() else place.rglob("*.py"))}
    outside = {"__init__.py", "changes.py", "studies.py", "check.py", "implementation.py"}
    outside |= {"verbs.py", "naming.py"}
    assert {path.name for path in folder.glob("*.py")} - outside == {p.name for p in covered if p.parent == folder}
    assert all(path.exists() for path in covered)


def test_the_panel_writes_its_factor_and_shows_the_difference() -> None:
    original = torch.full((3, 32, 32), 0.5)
    result = original.clone()
    result[0, 0, 0] += 0.04
    assert amplification(original, result) == 10
    shown, factor = panel(original, result)
    assert factor == 10
    side = 32 * 5
    assert shown.shape == (side + 28, 3 * side + 16, 3)
    assert shown[0, side + 8, 0] == round((0.5 + 0.4) * 255)
    assert shown[side:, :, 0].min() < 128  # there is something written


def test_cifar10_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path))
    with pytest.raises(DataError, match="paribus data get cifar10"):
        run(experiment("adversarial/cifar10/small_vgg").config, Context(seed=0))
