"""How a perturbation comes about, shown by the attacks that move an image on one way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from adversarial.sample import digits, network
from paribus.labs.adversarial.experiments import Protocol
from paribus.labs.adversarial.protocol import attacks_of
from paribus.spec.context import Context
from paribus.spec.seed import Streams


@pytest.mark.parametrize(("by", "norm"), [("bim", "linf"), ("apgd_ce", "l2"), ("apgd_ce", "l1"), ("apgd_t", "linf")])
@pytest.mark.parametrize("share", [1.0, 1e-3])
def test_attacks_that_go_one_way_show_it_as_pgd_does(by: str, norm: str, share: float) -> None:
    images, labels = digits("test", 4)
    images, labels = images[1:], labels[1:]
    how = Protocol(norm=norm, eps=share * {"linf": 0.2, "l2": 4.0, "l1": 60.0}[norm], attacks=("noise", by), steps=25)
    reports: list[Any] = []
    quiet, telling = (attacks_of(how, context=one)[by] for one in (None, Context(seed=0, emit=reports.append)))
    alone, found = (attack(network(), images, labels, streams=Streams(0)) for attack in (quiet, telling))
    assert torch.equal(alone.images, found.images)
    assert torch.equal(alone.queries, found.queries)
    (strip,) = (report.array for report in reports)
    assert np.array_equal(strip[0, :32], (images[0] * 255).round().permute(1, 2, 0).numpy())
    assert bool(found.success[0]) == (share == 1)
    if share == 1:
        assert np.array_equal(strip[-1, :32], (found.images[0] * 255).round().permute(1, 2, 0).numpy())
    else:
        assert len(strip) == 7  # the original, and six moments of the first run
    assert len({frame.tobytes() for frame in strip[1:]}) > (1 if share == 1 else 2)


def test_the_first_attack_that_goes_one_way_is_the_one_that_shows_it() -> None:
    context = Context(seed=0)
    for names, shown in ((("square", "mi_fgsm", "pgd"), "mi_fgsm"), (("autoattack", "pgd"), "autoattack/apgd_ce")):
        attacks = attacks_of(Protocol(attacks=names), context=context)
        assert [name for name, one in attacks.items() if getattr(one, "context", None) is not None] == [shown]
