"""Input transformations: what they do, their derivatives, and that draws are the trial's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from adversarial.sample import digits, network
from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.defences import (
    Defended,
    blurred,
    mirrored,
    sampled,
    surviving,
    through_jpeg,
    transformed,
    turned,
)
from paribus.labs.adversarial.evaluation import evaluate
from paribus.labs.adversarial.experiments import (
    Affine,
    Attacker,
    Blur,
    Config,
    Jpeg,
    Protocol,
    SaltAndPepper,
    Trained,
)
from paribus.labs.adversarial.run import attacked_by, attackers, defended_accuracy, run
from paribus.spec.context import Context
from paribus.spec.registry import experiment
from paribus.spec.seed import Streams

DEFENCES = (Affine(), SaltAndPepper(), Blur(), Jpeg())


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda one: type(one).__name__)
def test_a_defence_keeps_the_range_and_repeats(defence: Affine | SaltAndPepper | Blur | Jpeg) -> None:
    images, _ = digits("test", 5)
    first, again = (transformed(images, defence, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == images.shape
    assert float(first.min()) >= -1e-6
    assert float(first.max()) <= 1 + 1e-6
    assert not torch.equal(first, images)
    variable = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(transformed(variable, defence, np.random.default_rng(1)).square().sum(), variable)
    assert float(slope.abs().sum()) > 0


def test_the_blur_is_that_of_scipy() -> None:
    images, _ = digits("test", 2)
    found = blurred(images, 1.5)
    for image, got in zip(images, found, strict=True):
        for channel, result in zip(image.numpy(), got.numpy(), strict=True):
            expected = gaussian_filter(channel.astype(np.float64), 1.5, mode="mirror", truncate=5 / 1.5)
            assert np.allclose(result, expected, atol=1e-5)


def test_sampling_and_mirroring_are_those_of_torch_with_their_derivatives() -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, 7, 9, generator=draw, dtype=torch.float64).requires_grad_()
    grid = torch.rand(2, 5, 6, 2, generator=draw, dtype=torch.float64) * 3 - 1.5  # beyond the border too
    for found, expected in (
        (sampled(images, grid), F.grid_sample(images, grid, padding_mode="border", align_corners=False)),
        (mirrored(images, 4), F.pad(images, (4, 4, 0, 0), mode="reflect")),
    ):
        assert torch.allclose(found, expected, atol=1e-12)
        weights = torch.rand(found.shape, generator=draw, dtype=torch.float64)
        slopes = [torch.autograd.grad((value * weights).sum(), images)[0] for value in (found, expected)]
        assert torch.allclose(*slopes, atol=1e-12)


def test_a_map_without_change_is_the_identity_and_a_shift_shifts() -> None:
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    still = turned(images, Affine(degrees=0, scale=0, shift=0), np.random.default_rng(0))
    assert torch.allclose(still, images, atol=1e-5)

    class Right:
        def uniform(self, _low: float, _high: float, size: tuple[int, int]) -> np.ndarray:  # type: ignore[type-arg]
            drawn = np.zeros(size)
            drawn[2] = 1.0
            return drawn

    moved = turned(images, Affine(degrees=0, scale=0, shift=3), Right())  # type: ignore[arg-type]
    assert torch.allclose(moved[..., :-3], images[..., 3:], atol=1e-4)


def test_salt_and_pepper_hits_its_share() -> None:
    grey = torch.full((20, 3, 32, 32), 0.5)
    found = transformed(grey, SaltAndPepper(share=0.2), np.random.default_rng(0))
    hit = found != grey
    assert torch.equal(hit.all(dim=1), hit.any(dim=1))
    assert float(hit.float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float(found[hit].mean()) == pytest.approx(0.5, abs=0.05)


def test_jpeg_of_high_quality_changes_little_and_of_low_quality_much() -> None:
    images, _ = digits("test", 4)
    fine, coarse = (float((through_jpeg(images, quality) - images).abs().mean()) for quality in (100, 5))
    assert fine < 0.01 < 0.02 < coarse


def test_the_surviving_waves_are_those_of_scipys_cosines() -> None:
    images, _ = digits("test", 1)
    images = images.double()
    assert torch.allclose(surviving(images, 100), images, atol=0.02)
    found = surviving(images, 20)[0, 0, :8, :8].numpy()
    waves = dctn(images[0, 0, :8, :8].numpy(), norm="ortho")
    kept = dctn(found, norm="ortho")
    assert np.allclose(kept[np.abs(kept) > 1e-6], waves[np.abs(kept) > 1e-6], atol=1e-6)
    assert np.allclose(idctn(kept, norm="ortho"), found)
    dropped = np.abs(waves[np.abs(kept) <= 1e-6])
    assert dropped.max() < 255 * 100 / 255 / 4  # no step of quality 20 is larger than 255
    odd = torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(0))
    assert torch.equal(surviving(odd, 20), odd)


def test_the_derivative_through_jpeg_is_not_zero_and_its_value_is_jpegs() -> None:
    images, _ = digits("test", 3)
    variable = images.clone().requires_grad_()
    found = transformed(variable, Jpeg(), np.random.default_rng(0))
    assert torch.allclose(found, through_jpeg(images, Jpeg().quality), atol=1e-6)
    (slope,) = torch.autograd.grad(network()(found)[:, 0].sum(), variable)
    assert float(slope.abs().amax()) > 0


def test_the_attackers_draws_are_not_those_that_decide() -> None:
    images, _ = digits("test", 6)
    attacker, again, deployed = (
        Defended(network(), Affine(), Streams(0), purpose) for purpose in ("attacker", "attacker", "deployed")
    )
    first = attacker(images)
    assert torch.equal(first, again(images))
    assert not torch.equal(first, deployed(images))
    assert not torch.equal(first, attacker(images))  # the next call draws anew


def test_the_mean_over_draws_is_the_mean() -> None:
    images, _ = digits("test", 4)
    found = Defended(network(), SaltAndPepper(), Streams(0), "attacker", draws=3)(images)
    generator = Streams(0).generator("defence/attacker/call=0")
    expected = [network()(transformed(images, SaltAndPepper(), generator)) for _ in range(3)]
    assert torch.allclose(found, torch.stack(expected).mean(dim=0), atol=1e-5)
    assert Defended(network(), Blur(), Streams(0), "attacker", draws=3).draws == 1


def test_the_number_of_draws_is_a_change_and_what_the_attacker_takes() -> None:
    config: Any = experiment("adversarial/by_pgd/adaptive/affine/attack_steps=100/draws=16").config
    assert attacked_by(config, network(), Context(seed=0)).draws == 16
    assert attacked_by(replace(config, defence=Blur()), network(), Context(seed=0)).draws == 1
    with pytest.raises(ConfigError, match=r"attacker\.draws is 0; at least 1"):
        Attacker(draws=0)


def test_what_breaks_a_random_defence_breaks_it_again() -> None:
    images, labels = digits("test", 30)
    model = Defended(network(), SaltAndPepper(), Streams(0), "attacker", draws=4)
    found = PGD(eps=0.1, steps=15)(model, images, labels, streams=Streams(0))
    fresh = Defended(network(), SaltAndPepper(), Streams(1), "other", draws=4)
    again = fresh(found.images).argmax(dim=1) != labels
    assert int(found.success.sum()) > 10
    assert float(again[found.success].float().mean()) > 0.85


def test_an_attack_through_a_random_defence_goes_on_behind_the_first_error() -> None:
    images, labels = digits("test", 30)
    config = Config(defence=Affine(), attacker=Attacker(adaptive=True))
    found = {}
    for goes_on in (True, False):
        model = attacked_by(config, network(), Context(seed=0))
        assert model.stand_in  # its draws stand in for those that decide
        model.stand_in = goes_on
        found[goes_on] = PGD(eps=0.08, steps=12)(model, images, labels, streams=Streams(0))
    broken = found[False].success
    assert int(broken.sum()) > 8
    fresh = {goes_on: Defended(network(), Affine(), Streams(1), "other") for goes_on in found}
    right = {
        goes_on: torch.stack([model(found[goes_on].images).argmax(dim=1) == labels for _ in range(20)])
        for goes_on, model in fresh.items()
    }
    assert float(right[True][:, broken].double().mean()) < 0.9 * float(right[False][:, broken].double().mean())
    assert not attacked_by(replace(config, defence=Blur()), network(), Context(seed=0)).stand_in


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("defence", DEFENCES, ids=lambda one: type(one).__name__)
def test_an_attack_that_may_do_nothing_costs_nothing(
    defence: Affine | SaltAndPepper | Blur | Jpeg, adaptive: bool
) -> None:
    images, labels = digits("test", 60)
    config = Config(
        defence=defence, attacker=Attacker(adaptive=adaptive),
        protocol=Protocol(eps=1e-7, attacks=("pgd", "square"), steps=2, queries=3),
    )  # fmt: skip
    context = Context(seed=0)
    found = evaluate(
        config, attackers(config, network(), context),
        lambda: Defended(network(), defence, context.streams, "deployed"), images, labels, 10, context,
    )  # fmt: skip
    assert int(found.right.sum()) > 0
    assert torch.equal(found.right, found.robust)


def test_what_a_defence_costs_is_the_mean_over_its_draws() -> None:
    images, labels = digits("test", 60)
    found = defended_accuracy(network(), SaltAndPepper(share=0.5), images, labels, Streams(3))
    right = []
    for call in range(10):
        noisy = transformed(images, SaltAndPepper(share=0.5), Streams(3).generator(f"defence/natural/call={call}"))
        right.append(float((network()(noisy).argmax(dim=1) == labels).double().mean()))
    assert len(set(right)) > 1
    assert found == pytest.approx(sum(right) / 10)
    bare = float((network()(images).argmax(dim=1) == labels).double().mean())
    assert found < bare - 0.1
    assert defended_accuracy(network(), None, images, labels, Streams(3)) == pytest.approx(bare)
    smooth = float((network()(blurred(images, 1.5)).argmax(dim=1) == labels).double().mean())
    assert defended_accuracy(network(), Blur(sigma=1.5), images, labels, Streams(3)) == pytest.approx(smooth)


@pytest.mark.parametrize("defence", [None, *DEFENCES], ids=lambda one: type(one).__name__)
def test_each_trial_tells_natural_accuracy_through_its_defence(
    defence: Affine | SaltAndPepper | Blur | Jpeg | None,
) -> None:
    config = Config(
        victim=Trained(widths=(8,), steps=60), defence=defence,
        protocol=Protocol(attacks=("noise",), queries=2, steps=2, images=60),
    )  # fmt: skip
    metrics = run(config, Context(seed=0))
    assert 0.2 < metrics["defended_accuracy"] <= 1
    if not isinstance(defence, Affine | SaltAndPepper):
        assert metrics["defended_accuracy"] == pytest.approx(metrics["natural_accuracy"])


def test_of_a_random_model_the_point_with_the_largest_loss_is_shown_where_nothing_is_confirmed() -> None:
    images, labels = digits("test", 30)
    model = Defended(network(), Affine(), Streams(0), "attacker", draws=4)
    found = PGD(eps=0.03, steps=8)(model, images, labels, streams=Streams(0))
    lost = ~found.success
    assert int(lost.sum()) > 5
    moved = (found.images - images).abs().flatten(1).amax(dim=1)
    assert float((moved[lost] > 0).float().mean()) > 0.9
    assert float(moved.max()) <= 0.03
    assert bool(torch.isinf(found.distance[lost]).all())


def test_a_naive_attack_goes_on_behind_the_first_error_and_each_is_judged() -> None:
    images, labels = digits("test", 60)
    context = Context(seed=0)
    robust = {}
    for names in (("pgd",), ("apgd_ce",), ("pgd", "apgd_ce")):
        config = Config(defence=Blur(sigma=0.8), protocol=Protocol(eps=0.1, attacks=names, steps=10))
        attacked = attackers(config, network(), context)
        found = evaluate(
            config, attacked, lambda: Defended(network(), Blur(sigma=0.8), context.streams, "deployed"),
            images, labels, 10, context,
        )  # fmt: skip
        robust[names] = found.robust
    assert torch.equal(robust["pgd", "apgd_ce"], robust["pgd",] & robust["apgd_ce",])
    stopped = PGD(eps=0.1, steps=10)(network(), images, labels, streams=context.streams)
    behind = Defended(network(), Blur(sigma=0.8), context.streams, "deployed")
    assert int(robust["pgd",].sum()) < int((behind(stopped.images).argmax(dim=1) == labels).sum())


@pytest.mark.parametrize("defence", [SaltAndPepper(share=0.3), Blur(sigma=0.5)], ids=lambda one: type(one).__name__)
def test_an_adaptive_attacker_makes_the_naive_attacks_too_and_the_worst_of_both_counts(
    defence: SaltAndPepper | Blur,
) -> None:
    images, labels = digits("test", 40)
    context = Context(seed=0)
    how = Protocol(eps=0.04, attacks=("pgd", "fgsm"), steps=4)
    naive, adaptive = (
        Config(defence=defence, attacker=Attacker(adaptive=knows, draws=1), protocol=how) for knows in (False, True)
    )

    def robust(config: Config, attacked: tuple[Defended, ...]) -> torch.Tensor:
        return evaluate(
            config, attacked, lambda: Defended(network(), defence, context.streams, "deployed"),
            images, labels, 10, context,
        ).robust  # fmt: skip

    both = attackers(adaptive, network(), context)
    assert [model.defence for model in both] == [defence, None]
    alone = robust(adaptive, attackers(adaptive, network(), context)[:1])
    without = robust(naive, attackers(naive, network(), context))
    assert torch.equal(robust(adaptive, both), alone & without)
    if isinstance(defence, SaltAndPepper):
        assert int((alone & ~without).sum()) > 0  # else the naive attacks would not matter
    assert len(attackers(naive, network(), context)) == 1
    assert len(attackers(Config(attacker=Attacker(adaptive=True)), network(), context)) == 1
