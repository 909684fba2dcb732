"""What a trial's textures are, and what measures say of images whose answer is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from scipy.stats import wasserstein_distance
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.texture import measure as measures
from paribus.labs.texture.experiments import SETS, Budget, Config, Source
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.measure import autocorrelation, diversity, judged, judging, measure, patch_distance, seam
from paribus.labs.texture.sources import sample
from paribus.labs.texture.studies import JUDGING
from paribus.labs.texture.synthesis import directions, stretches
from paribus.nn.initial import normal
from paribus.spec.seed import Streams

SMALL = Budget(size=32)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_a_trial_takes_every_texture_of_its_group_and_shows_two_parts_that_do_not_meet() -> None:
    first, again, other = (sample(Config(budget=SMALL), Streams(seed)) for seed in (0, 0, 1))
    assert first.names == SETS["textures"]
    assert first.sources.shape == first.others.shape == (len(first.names), 3, 32, 32)
    assert torch.equal(first.sources, again.sources)
    assert not torch.equal(first.sources, other.sources)
    for source, unseen in zip(first.sources, first.others, strict=True):
        assert not torch.equal(source, unseen)
    alone = sample(Config(budget=SMALL, source=Source(of="gravel")), Streams(0))
    place = first.names.index("gravel")
    assert torch.equal(alone.sources[0], first.sources[place])  # whatever else the group holds


def test_a_periodic_source_repeats_and_its_other_part_is_shifted() -> None:
    found = sample(Config(budget=SMALL, source=Source(period=12)), Streams(3))
    for source, other in zip(found.sources, found.others, strict=True):
        assert torch.equal(source[:, :20], source[:, 12:])
        assert torch.equal(source[..., :20], source[..., 12:])
        patch = source[:, :12, :12]
        shifts = [patch.roll((-down, -across), (1, 2)) for down in range(12) for across in range(12)]
        assert any(torch.equal(other[:, :12, :12], one) for one in shifts[1:])


@pytest.mark.parametrize(("period", "side"), [(1, 32), (33, 32), (400, 32)])
def test_a_period_that_no_image_can_show_is_one_line(period: int, side: int) -> None:
    with pytest.raises(ConfigError, match="period"):
        Config(budget=Budget(size=side), source=Source(period=period))


def test_images_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ConfigError, match="28"):
        Budget(size=27)


def test_the_unseen_part_itself_is_at_no_distance_and_the_source_at_zero() -> None:
    shown = sample(Config(budget=SMALL), Streams(0))
    source, other = (
        measure(views.repeat_interleave(2, dim=0), shown, Streams(0)) for views in (shown.sources, shown.others)
    )
    for name, value in source.items():
        if ("distance" in name and not name.startswith("noise")) or "_on_" in name:
            assert value == pytest.approx(0, abs=1e-4)
            assert other[name] < -1
    assert source["diversity"] == pytest.approx(0, abs=1e-6)
    assert source["seam"] == pytest.approx(source["real_seam"], abs=1e-6)


def test_every_judge_looks_at_four_depths_and_every_measure_that_a_study_compares_is_taken() -> None:
    images, judges = random(1, 3, 64, 64), judging()
    for eye in judges.values():
        shapes = [tuple(seen.shape[2:]) for seen in eye.features(images).values()]
        assert len(shapes) == 4
        assert shapes == sorted(shapes, reverse=True)
        assert shapes[-1] == (8, 8)
    taken = judged(images, images.flip(3), judges)
    compared = {metric for metrics in JUDGING.values() for metric in metrics}
    assert compared < set(taken)
    assert {metric.partition("_on_")[2] for metric in compared} == {"robust", "random", "random_vgg16", "resnet"}


def test_noise_is_farther_from_every_texture_than_another_part_of_it() -> None:
    shown = sample(Config(budget=Budget(size=128)), Streams(0))
    for source, other in zip(shown.sources[:, None], shown.others[:, None], strict=True):
        noise = measures.Colours.of(source).noise(normal(Streams(0), "noise", (1, 3, 128, 128))).clamp(0, 1)
        far, near = patch_distance(torch.cat([noise, source]), other)
        assert far > 1.5 * near


def test_noise_is_as_far_as_noise() -> None:
    shown = sample(Config(budget=SMALL), Streams(0))
    drawn = torch.cat([
        measures.Colours.of(source[None]).noise(normal(Streams(0), f"noise/{name}", (1, 3, 32, 32))).clamp(0, 1)
        for source, name in zip(shown.sources, shown.names, strict=True)
    ])  # fmt: skip
    found = measure(drawn.repeat_interleave(2, dim=0), shown, Streams(0))
    assert found["patch_distance"] == pytest.approx(found["noise_patch_distance"], abs=1e-5)


def test_patches_are_compared_by_the_earth_movers_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one direction, at one level, it is that of the difference of two pixels, whatever is added to an image."""
    monkeypatch.setattr(measures, "LEVELS", 1)
    one = torch.zeros(1, 3, 7, 7)
    one[0, 1, 3, 3], one[0, 1, 3, 4] = 1, -1
    monkeypatch.setattr(measures, "normal", lambda *_: one)
    here, there = random(1, 3, 20, 20), random(1, 3, 20, 20, seed=1).square()
    found = float(patch_distance(here, there))
    steps = (part[0, 1, 3:-3, 3:-3] - part[0, 1, 3:-3, 4:-2] for part in (here, there))
    a, b = (np.sort(part.flatten().numpy()) / np.sqrt(2) for part in steps)
    assert float(patch_distance(here + 0.3, there)) == pytest.approx(found, rel=1e-4)
    assert found == pytest.approx(float(np.sqrt(((a - b) ** 2).mean())), rel=1e-5)
    assert wasserstein_distance(a, b) <= found  # of the first order, which is no larger


def test_a_shuffled_image_has_other_patches_and_its_mirror_image_has_not() -> None:
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    image = (0.5 + 0.4 * torch.sin(0.8 * rows) * torch.cos(0.5 * columns)).expand(1, 3, 32, 32).contiguous()
    order = torch.randperm(32 * 32, generator=torch.Generator().manual_seed(0))
    shuffled = image.flatten(2)[..., order].view_as(image)
    far, turned = (float(patch_distance(x, image)) for x in (shuffled, image.flip(2)))
    assert turned < 0.4 * far
    assert float(patch_distance(image, image)) == 0


def test_the_autocorrelation_is_that_of_scipy() -> None:
    image = random(1, 3, 12, 10)
    found = autocorrelation(image)[0].double().numpy()
    grey = image[0].double().mean(dim=0).numpy()
    grey = grey - grey.mean()
    whole = correlate2d(grey, grey) / np.round(correlate2d(np.ones_like(grey), np.ones_like(grey)))
    expected = whole[11 : 11 + 7, 9 - 5 : 9 + 6] / whole[11, 9]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_diversity_is_none_of_one_image_and_one_of_unrelated_ones() -> None:
    image = random(1, 3, 64, 64)
    assert diversity(image.repeat(2, 1, 1, 1)) == 0
    assert diversity(torch.cat([image, random(1, 3, 64, 64, seed=1)])) == pytest.approx(1, abs=0.02)


def test_a_seam_is_none_where_edges_meet_as_neighbours_do() -> None:
    turns = torch.arange(32) * 2 * np.pi / 32
    smooth = (0.5 + 0.2 * torch.sin(turns)[:, None] + 0.2 * torch.cos(turns)[None]).expand(1, 3, 32, 32)
    assert seam(smooth) < 0.25
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 32, 32)
    rows = ramp + ramp.transpose(2, 3)
    assert seam(rows / 2) == pytest.approx(np.log10(31), abs=1e-4)  # the step across is 31 steps inside
    halved = torch.cat([smooth, rows / 2])
    assert seam(halved) == pytest.approx((seam(smooth) + seam(rows / 2)) / 2)


def test_a_loss_that_draws_has_stretches_of_one_objective() -> None:
    sizes = [(16, 16), (32, 32)]
    assert stretches(sizes, 60, LOSSES["gram"]) == [((16, 16), 60), ((32, 32), 60)]
    plan = stretches(sizes, 60, LOSSES["sliced"])
    assert plan == [(size, steps) for size in sizes for steps in (25, 25, 10)]
    drawn = [float(directions(Streams(0), plan, step).random()) for step in range(121)]
    ends = (0, 25, 50, 60, 85, 110, 120, 121)
    for start, end in itertools.pairwise(ends):
        assert len(set(drawn[start:end])) == 1
    assert len(set(drawn)) == len(ends) - 1
