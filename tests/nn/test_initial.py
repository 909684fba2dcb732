"""Initial parameters: from named streams alone, of the formulas' size, shared by models that share names."""

from __future__ import annotations

import math

import torch
from torch import nn

from paribus.nn.initial import initialise, untouched_rng
from paribus.spec.seed import Streams


def _net(wide: bool = False) -> nn.Sequential:
    with untouched_rng():
        net = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(640 if wide else 320, 100))
    initialise(net, Streams(11))
    return net


def test_the_global_generator_has_no_part_in_it() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = _net()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    for one, other in zip(first.parameters(), _net().parameters(), strict=True):
        assert torch.equal(one, other)


def test_sizes_follow_the_formulas() -> None:
    net = _net()
    conv, linear = net[0].weight.detach(), net[3].weight.detach()
    assert abs(float(conv.std()) / math.sqrt(2 / 27) - 1) < 0.05
    assert abs(float(linear.std()) / math.sqrt(1 / 320) - 1) < 0.02
    assert float(conv.mean().abs()) < 4 * float(conv.std()) / math.sqrt(conv.numel())
    assert not net[0].bias.any()
    assert not net[3].bias.any()
    assert bool((net[1].weight == 1).all())


def test_parameters_that_two_models_share_start_alike() -> None:
    narrow, wide = dict(_net().named_parameters()), dict(_net(wide=True).named_parameters())
    assert torch.equal(narrow["0.weight"], wide["0.weight"])
    assert narrow["3.weight"].shape != wide["3.weight"].shape
