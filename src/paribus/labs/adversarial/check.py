"""The lab's diagnostics: the data, and whether the gradients that attacks climb are of any use."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from paribus.data.inspect import inspect
from paribus.data.split import SPLITS
from paribus.labs.adversarial.data import part, tensors
from paribus.labs.adversarial.experiments import Config, Trained
from paribus.labs.adversarial.masking import masking, radius
from paribus.labs.adversarial.run import MASKING_IMAGES, attacked_by, substitute_of, victim_of
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.train.arithmetic import reproducible


def check(config: Config, context: Context) -> Iterator[Finding]:
    """Yield findings on the data, then on the victim: is it right at all, do attacks on it behave as they must?"""
    if isinstance(config.victim, Trained):
        yield from inspect({split: part(config, split) for split in SPLITS})
    with reproducible(context.device):
        network, _ = victim_of(config, context)
        images, labels = tensors(part(config, "test"), torch.device(context.device))
        model = attacked_by(config, network, context)
        with torch.no_grad():
            right = model(images).argmax(dim=1) == labels
        share, common = float(right.double().mean()), float(torch.bincount(labels).max()) / len(labels)
        yield Finding(
            "natural accuracy",
            "ok" if share > common + (1 - common) / 4 else "warning",
            f"{share:.1%} of {len(labels)} test images; the commonest class has {common:.1%}",
            "An attack on a network that has learnt nothing says nothing.",
        )
        model.stand_in = False
        rows = torch.nonzero(right).flatten()[:MASKING_IMAGES]
        if len(rows) == 0:
            return
        how, other = config.protocol, substitute_of(config, context)
        some = images[rows], labels[rows]
        seen = masking(model, *some, context.streams, norm=how.norm, eps=radius(how), substitute=other)
        black_box = "" if seen.black_box is None else f"black box {seen.black_box:.0%}, "
        transfer = "" if seen.transfer is None else f"by another network's {seen.transfer:.0%}, "
        told = seen.alarms or (
            f"of {len(rows)} images broken within {seen.eps:g} in {seen.norm}: by many steps {seen.many_steps:.0%}, "
            f"{black_box}{transfer}noise {seen.noise:.0%}; without a bound {seen.unbounded:.0%}",
        )
        yield Finding(
            "masked gradients",
            "warning" if seen.alarms else "ok",
            "; ".join((*told, *seen.untested)),
            "Where a test of Carlini et al. (2019) fails, robustness is overstated: attack through the defence instead."
            if seen.alarms
            else "More steps and more room break no less, no bound breaks all, and nothing beats the gradient.",
        )
