"""Masked gradients are noticed: each test of Carlini et al. (2019) can fail, in each norm."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from adversarial.sample import TINY, digits, network
from paribus.labs.adversarial import check as checks
from paribus.labs.adversarial import run as the_run
from paribus.labs.adversarial.attacks.bounds import distance
from paribus.labs.adversarial.defences import Defended
from paribus.labs.adversarial.experiments import EPS, L0, NEAREST, Config, Protocol, Recipe, Trained
from paribus.labs.adversarial.masking import masking, probes
from paribus.labs.adversarial.norms import NORMS
from paribus.labs.adversarial.run import run, substitute_for, substitute_of, victim_of
from paribus.nn.networks.load import CIFAR10
from paribus.nn.networks.names import Fixed, fixed
from paribus.spec.context import Context, Progress, Report
from paribus.spec.seed import Streams


class _Masked(nn.Module):
    """A network whose image is rounded first: right as ever, and without a gradient."""

    def forward(self, images: Tensor) -> Tensor:
        return network()((images * 8).round() / 8)


class _Blinded(nn.Module):
    """A network that has a gradient on the images themselves alone: what is one step away cannot go on."""

    def forward(self, images: Tensor) -> Tensor:
        clean, _ = digits("test", 25)
        apart = (images[:, None] - clean[None]).abs().flatten(2).amax(dim=2).amin(dim=1).detach()
        return network()(torch.where((apart > 0.01).view(-1, 1, 1, 1), images.detach(), images))


class _Shattered(nn.Module):
    """A network whose gradient points the wrong way, though its answers are as ever."""

    def forward(self, images: Tensor) -> Tensor:
        return network()(2 * images.detach() - images)


@pytest.mark.parametrize("norm", NORMS)
def test_masked_gradients_are_noticed_in_each_norm_and_sound_ones_are_not(norm: str) -> None:
    images, labels = digits("test", 25)
    right = network()(images).argmax(dim=1) == labels
    images, labels = images[right], labels[right]
    eps = 2 * EPS[norm]
    other = Defended(network(), None, Streams(0), "substitute")
    other.stand_in = True
    sound, masked, shattered = (
        masking(model, images, labels, Streams(0), norm=norm, eps=eps, steps=5, queries=60, substitute=other)
        for model in (network(), _Masked(), _Shattered())
    )
    assert sound.alarms == ()
    assert sound.transfer == sound.many_steps  # carried over to itself
    for found in (masked, shattered):
        assert found.transfer is not None
        assert found.transfer > found.many_steps + 0.1
        assert any(alarm.startswith("what breaks another network breaks") for alarm in found.alarms)
    assert sound.unbounded == 1
    assert sound.few_steps <= sound.larger_radius
    assert sound.one_step <= sound.many_steps
    assert sound.many_steps > 0.3
    assert any("without a bound" in alarm for alarm in masked.alarms)
    assert len(shattered.alarms) >= 1
    if norm == "linf":
        assert "a black box breaks" in " ".join(masked.alarms)


def test_a_single_step_that_beats_many_is_an_alarm() -> None:
    images, labels = digits("test", 25)
    found = masking(_Blinded(), images, labels, Streams(0), norm="linf", eps=0.1, steps=5, queries=5)
    assert found.one_step > 0.5
    assert any(alarm.startswith(f"a single step breaks {found.one_step:.0%} within 0.1") for alarm in found.alarms)


@pytest.mark.parametrize("norm", NORMS)
def test_the_tests_for_masking_move_in_their_norm_and_say_which(norm: str) -> None:
    images, labels = digits("test", 6)
    eps = EPS[norm]
    for name, attack in probes(norm=norm, eps=eps, steps=4, queries=20).items():
        far = distance(attack(network(), images, labels, streams=Streams(0)).images, images, norm)
        allowed = {"unbounded": float("inf"), "larger_radius": 2 * eps}.get(name, eps)
        assert bool((far <= allowed).all()), name
    undefined = 2 if norm == "l0" else 0
    told = masking(network(), images, labels, Streams(0), norm=norm, eps=eps, steps=4, queries=20)
    assert len(told.untested) == undefined + 1
    assert "no other network here knows these classes" in told.untested[-1]
    assert told.metrics["masking_tests"] == 6 - undefined
    assert told.metrics["masking_eps"] == eps
    assert ("masking_black_box" in told.metrics) == (norm != "l0")
    assert "masking_transfer" not in told.metrics
    shares = {"few_steps": 0.5, "larger_radius": 0.5, "one_step": 0.5, "noise": 0.5, "black_box": None}
    level = replace(told, many_steps=0.5, unbounded=1.0, **shares)  # type: ignore[arg-type]
    assert level.alarms == ()
    within = f"within {eps:g} in {norm}"
    for name, share, alarm in (
        ("noise", 1.0, f"noise breaks 100% {within}, the gradient 50%"),
        ("transfer", 0.6, f"what breaks another network breaks 60% {within}, the gradient 50%"),
        ("one_step", 0.6, f"a single step breaks 60% {within}, many 50%"),
        ("larger_radius", 0.4, f"twice the radius breaks 40%, not the 50% {within}"),
    ):
        assert replace(level, **{name: share}).alarms == (alarm,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("protocol", "eps"),
    [
        (Protocol(norm="l2", eps=0.7, attacks=("pgd",)), 0.7),
        (Protocol(norm="l1", eps=float("inf"), attacks=("elastic_net",)), 12.0),
        (NEAREST, 1.0),
        (L0, 10.0),
    ],
)
def test_a_trial_is_tested_for_masking_in_its_norm(protocol: Protocol, eps: float) -> None:
    budget = {"steps": 3, "queries": 5, "images": 20, "searches": 2}
    metrics = run(replace(TINY, protocol=replace(protocol, **budget)), Context(seed=0))  # type: ignore[arg-type]
    assert metrics["masking_eps"] == eps
    assert metrics["masking_tests"] == (5 if protocol.norm == "l0" else 7)
    assert ("masking_black_box" in metrics) == (protocol.norm != "l0")


def test_the_substitute_is_another_network_of_the_same_classes() -> None:
    robust = Trained(widths=(4,), steps=20, batch_size=16, examples=100, recipe=Recipe(kind="fast"))
    reports: list[Report] = []
    context = Context(seed=0, emit=reports.append)
    other, again = (substitute_of(Config(victim=robust), context) for _ in range(2))
    assert other is not None
    assert again is not None
    assert other.stand_in
    mine, _ = victim_of(Config(victim=replace(robust, recipe=Recipe())), Context(seed=0))
    images, _ = digits("test", 8)
    assert torch.equal(other(images), again(images))
    assert not torch.allclose(other(images), mine(images))
    assert {type(report) for report in reports} == {Progress}  # its curves are not the victim's
    assert substitute_for(Config(victim=robust)) == Config(victim=replace(robust, recipe=Recipe()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(the_run, "part", lambda config, name: SimpleNamespace(classes=CIFAR10))
        for own, instead in (
            ("small_vgg", "small_resnet"),
            ("small_resnet", "small_vgg"),
            ("small_vgg:cifar10_robust", "small_vgg"),
            ("small_vgg:random", "small_vgg"),
        ):
            assert substitute_for(Config(victim=fixed(own))) == Config(victim=fixed(instead))
        patch.setattr(the_run, "part", lambda config, name: SimpleNamespace(classes=("a", "b")))
        assert substitute_for(Config(victim=Fixed())) is None
        assert substitute_of(Config(victim=Fixed()), Context(seed=0)) is None


def test_the_check_warns_of_a_network_that_has_learnt_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MASKING_IMAGES", 5)
    found = {finding.check: finding for finding in checks.check(TINY, Context(seed=0))}
    assert found["natural accuracy"].level == "warning"
    learnt = replace(TINY, victim=Trained(steps=60))
    found = {finding.check: finding for finding in checks.check(learnt, Context(seed=0))}
    assert found["natural accuracy"].level == "ok"
    assert found["masked gradients"].level == "ok"
    assert "within 0.05 in linf" in found["masked gradients"].value
    counted = {one.check: one for one in checks.check(replace(learnt, protocol=L0), Context(seed=0))}
    assert "within 10 in l0" in counted["masked gradients"].value
    assert "Square does not know l0" in counted["masked gradients"].value
