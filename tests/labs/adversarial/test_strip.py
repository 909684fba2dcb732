"""How a perturbation comes about, shown by every attack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from adversarial.sample import digits, network
from paribus.labs.adversarial.attacks.search import Adversarial
from paribus.labs.adversarial.experiments import Protocol
from paribus.labs.adversarial.protocol import attacks_of
from paribus.labs.adversarial.strip import Strip
from paribus.labs.adversarial.watching import watched
from paribus.spec.context import Artifact, Context
from paribus.spec.seed import Streams

BY = (("bim", "linf"), ("pgd", "linf"), ("apgd_ce", "l2"), ("apgd_ce", "l1"), ("apgd_t", "linf"), ("fab_t", "linf"),
      ("square", "linf"), ("deepfool", "l2"), ("carlini_wagner", "l2"), ("elastic_net", "l1"),
      ("course", "l2"))  # fmt: skip


def told(how: Protocol, images: Tensor, labels: Tensor) -> tuple[list[Any], list[Adversarial], list[Adversarial]]:
    """Return the artifacts of watched attacks with a strip, what they found, and what they find unwatched."""
    reports: list[Any] = []
    attacks = attacks_of(how)
    seen = watched(attacks, Context(seed=0, emit=reports.append), classes=10, strip=True)
    victim = network()

    def model(points: Tensor) -> Tensor:  # no layers that Square could run itself
        return torch.as_tensor(victim(points))

    found, alone = (
        [attack(model, images, labels, streams=Streams(0)) for attack in some.values()] for some in (seen, attacks)
    )
    return [report for report in reports if isinstance(report, Artifact)], found, alone


@pytest.mark.parametrize(("by", "norm"), BY)
@pytest.mark.parametrize("share", [1.0, 1e-3])
def test_every_attack_shows_how_its_first_find_comes_about(by: str, norm: str, share: float) -> None:
    images, labels = digits("test", 6)
    labels = labels.clone()
    labels[0] = (labels[0] + 1) % 10  # nothing is done to it
    eps = share * {"linf": 0.2, "l2": 4.0, "l1": 60.0}[norm]
    how = Protocol(norm=norm, eps=eps, attacks=(by,), steps=25, queries=100, searches=3)
    artifacts, (found,), (alone,) = told(how, images, labels)
    assert torch.equal(alone.images, found.images)
    assert torch.equal(alone.queries, found.queries)
    (strip,) = (report.array for report in artifacts)
    assert strip.dtype == np.uint8
    assert strip.shape[1:] == (64, 32, 3)
    pixels = (images * 255).round().permute(0, 2, 3, 1).numpy()
    assert np.array_equal(strip[0, :32], pixels[1])
    assert set(np.unique(strip[0, 32:])) == {128}
    if bool(found.success[1]):
        last = (found.images[1] * 255).round().permute(1, 2, 0).numpy()
        assert np.array_equal(strip[-1, :32], last)
        moved = (strip[-1, 32:].astype(float) - 127.5) / 255  # up to a half of the range
        assert 0.15 < np.abs(moved).max() <= 0.51
    for frame in strip:  # all of one image, and no other
        away = np.abs(frame[:32].astype(float) - pixels).sum(axis=(1, 2, 3))
        assert away.argmin() == 1
    assert len(strip) >= 2 + (share < 1)


def test_the_network_is_looked_at_after_doublings_whatever_leaves_the_batch() -> None:
    originals = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    strip = Strip(originals)
    strip.see(originals)  # nothing has changed yet
    for asked in range(1, 21):
        changed = (originals + asked / 1000).flip(0)
        strip.see(changed if asked != 4 else changed[1:2])  # once the image that is followed is not among them
    nothing = Adversarial(originals, torch.zeros(3, dtype=torch.bool), torch.zeros(3), torch.zeros(3), torch.zeros(3))
    frames = strip.frames(nothing)
    assert frames is not None
    expected = [0, 1, 2, 8, 16]
    for frame, asked in zip(frames, expected, strict=True):
        image = ((originals[2] + asked / 1000).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
        assert np.array_equal(frame[:4], image)
    assert Strip(originals).frames(nothing) is None


def test_the_first_attack_that_does_more_than_draw_noise_is_the_one_that_shows_it() -> None:
    images, labels = digits("test", 4)
    for names, shown in ((("noise", "pgd", "square"), "pgd"), (("autoattack", "pgd"), "autoattack/apgd_ce")):
        seen = watched(attacks_of(Protocol(attacks=names)), Context(seed=0), classes=10, strip=True)
        assert [name for name, one in seen.items() if one.strip] == [shown]  # type: ignore[attr-defined]
    artifacts, _, _ = told(Protocol(attacks=("noise", "bim", "pgd"), steps=5), images, labels)
    assert [report.name for report in artifacts] == ["strip"]
