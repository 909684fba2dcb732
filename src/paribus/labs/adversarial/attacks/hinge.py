"""The model's part of the objectives of Carlini and Wagner and of EAD: how much of the margin is lacking."""

from __future__ import annotations

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.search import Search


def hinge(search: Search, points: Tensor, which: Tensor, idle: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits (B, K), f = max(confidence - margin, 0) (B,) and its gradient at *points*, candidates for *which*.

    Where f is nought its gradient is too, and to look costs less than a gradient. So images that are *idle*
    (B,), for which f was nought a step ago, are looked at first; a gradient is computed for those of them for which it
    no longer is, together with all others. A random model's next answer says nothing of its last: there none is idle.
    """
    idle = torch.zeros_like(idle) if search.random else idle
    awake = ~idle
    logits = torch.zeros(len(which), search.clean_logits.shape[1], device=points.device)
    lack, slope = torch.zeros_like(logits[:, 0]), torch.zeros_like(points)
    looked_at = torch.nonzero(idle).flatten()
    if len(looked_at):
        logits[looked_at] = search.logits(points[looked_at], which[looked_at])
        awake[looked_at] = search.lack(logits[looked_at], which[looked_at]) > 0
    rest = torch.nonzero(awake).flatten()
    if len(rest):
        logits[rest], lack[rest], slope[rest] = search.gradient(
            points[rest], which[rest], lambda found: search.lack(found, which[rest])
        )
    return logits, lack, slope
