"""A changed window against the whole network, in float64: every kind of layer, every place, kept and forgotten."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from paribus.nn.initial import untouched_rng
from paribus.nn.networks.load import load
from paribus.nn.networks.names import fixed
from paribus.nn.window import ChangedWindow, PerPixel, in_sequence
from paribus.spec.seed import Streams


def _plain(seed: int, first: tuple[int, int, int], pool: nn.Module) -> nn.Sequential:
    """A network of every kind of layer that is known, its first convolution of *first* kernel, stride and padding."""
    with untouched_rng():
        torch.manual_seed(seed)
        norm = nn.BatchNorm2d(6)
        network = nn.Sequential(
            nn.Conv2d(3, 6, *first),
            nn.Sequential(norm, nn.ReLU(inplace=True), nn.Dropout(0.5)),
            nn.Conv2d(6, 8, 3, padding=1, groups=2),
            nn.LeakyReLU(),
            pool,
            nn.Conv2d(8, 5, 3),
            nn.Hardtanh(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(20, 4),
        ).double()
        for value in (norm.running_mean, norm.running_var):
            assert value is not None
            value.copy_(torch.rand(6))
    return network.eval()


def _changed(images: Tensor, side: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    height, width = images.shape[2:]
    top, left = random.integers(0, height - side + 1, len(images)), random.integers(0, width - side + 1, len(images))
    changed = images.clone()
    for row, (y, x) in enumerate(zip(top, left, strict=True)):
        changed[row, :, y : y + side, x : x + side] = torch.from_numpy(random.random((3, side, side)))
    return changed, torch.from_numpy(np.stack([top, left]))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    first=st.sampled_from([(3, 1, 1), (5, 4, 2), (3, 2, 1), (1, 1, 0), (2, 3, 0), (4, 1, 3)]),
    pool=st.sampled_from([nn.MaxPool2d(2), nn.AvgPool2d(2), nn.MaxPool2d(3, 2), nn.MaxPool2d(3, 2, 1),
                          nn.AvgPool2d(2, 3)]),
    side=st.integers(1, 9),
    shape=st.sampled_from([(32, 32), (40, 29), (33, 41)]),
)  # fmt: skip
def test_logits_are_the_whole_networks(
    seed: int, first: tuple[int, int, int], pool: nn.Module, side: int, shape: tuple[int, int]
) -> None:
    random = np.random.default_rng(seed)
    network = _plain(seed, first, pool)
    known = torch.from_numpy(random.random((4, 3, *shape)))
    window = ChangedWindow(network, known, side)
    for _ in range(3):
        rows = torch.from_numpy(random.permutation(4)[: random.integers(1, 5)])
        changed, at = _changed(known[rows], side, random)
        assert torch.allclose(window.logits(changed, rows, at), network(changed), rtol=0, atol=1e-12)
        kept = torch.from_numpy(random.random(len(rows)) < 0.5)
        window.keep(kept)
        known[rows[kept]] = changed[kept]


@pytest.mark.parametrize(("side", "stages"), [(1, True), (4, True), (7, True), (32, False)])
def test_the_embedded_network_gains_from_small_windows(side: int, stages: bool) -> None:
    network, random = load(fixed("small_vgg:cifar10_robust"), Streams(0)), np.random.default_rng(side)
    known = torch.from_numpy(random.random((3, 3, 32, 32))).float()
    window = ChangedWindow(network, known, side)
    changed, at = _changed(known, side, random)
    assert window.gains == stages
    assert torch.allclose(window.logits(changed, torch.arange(3), at), network(changed), rtol=0, atol=1e-5)
    doubled = copy.deepcopy(network).double()
    window = ChangedWindow(doubled, known.double(), side)
    found = window.logits(changed.double(), torch.arange(3), at)
    assert torch.allclose(found, doubled(changed.double()), rtol=0, atol=1e-12)


def test_what_is_not_known_is_left_whole() -> None:
    class Own(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean(dim=(2, 3))

    class Odd(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1

    known = torch.zeros(1, 3, 32, 32)
    training, hooked = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3)
    hooked.register_forward_hook(lambda layer, images, found: None)
    for first in (Own(), Odd(nn.Conv2d(3, 3, 3)), training, hooked, nn.Conv2d(3, 3, 3, padding="same"),
                  nn.Conv2d(3, 3, 3, padding_mode="reflect"), nn.Conv2d(3, 3, 3, dilation=2),
                  nn.Conv2d(3, 3, (3, 1)), nn.MaxPool2d(2, ceil_mode=True)):  # fmt: skip
        assert not ChangedWindow(nn.Sequential(first, nn.Conv2d(3, 3, 3)), known, 1).gains
    watched = nn.Sequential(nn.Conv2d(3, 3, 3))
    assert in_sequence(watched) == [watched[0]]
    watched.register_forward_pre_hook(lambda layer, images: None)
    assert in_sequence(watched) == [watched]
    assert in_sequence(len) == [len]


def test_an_object_may_say_what_it_runs_in_sequence() -> None:
    inner = nn.Conv2d(3, 4, 3)
    twice = PerPixel(lambda x: 2 * x)

    class Own(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = inner(2 * x)
            return found

        def in_sequence(self) -> list[object]:
            return [twice, nn.Sequential(inner)]

    known = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    window = ChangedWindow(Own(), known, 2)
    assert in_sequence(Own()) == [twice, inner]
    assert window.gains
    changed, at = _changed(known, 2, np.random.default_rng(0))
    found = window.logits(changed, torch.arange(2), at)
    assert torch.allclose(found, Own()(changed), rtol=0, atol=1e-6)
