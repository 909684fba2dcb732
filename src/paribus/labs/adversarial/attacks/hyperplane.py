"""The smallest step within [0, 1] from a point onto a hyperplane: what DeepFool and FAB take of the linear model."""

from __future__ import annotations

import torch
from torch import Tensor

from paribus.errors import ConfigError

_NEWTON_STEPS = 24


def onto_hyperplane(points: Tensor, normal: Tensor, gap: Tensor, norm: str) -> Tensor:
    """Return the least d, by the norm, with normal . d = gap and points + d in [0, 1]; (B, n) float32.

    With w the normal turned so that the gap is positive and u the room of each coordinate in the direction of w:
    ``linf``: |d| = min(r, u), ``l2``: |d| = min(r |w|, u), where r solves sum |w| |d| = gap, a concave rising function
    of r that Newton's method climbs from below in as many steps as it has kinks at most. ``l1``: the coordinates with
    the largest |w| are moved to the border in turn until the gap is closed. Where the box holds no such point,
    d goes to the corner nearest to the hyperplane (Croce and Hein 2020, "Minimally distorted", section 2.2).

    Args:
        points: (B, n) in [0, 1].
        normal: (B, n).
        gap: (B,).
        norm: ``linf``, ``l2`` or ``l1``.
    """
    turned = normal * torch.where(gap < 0, -1.0, 1.0)[:, None]
    weight = turned.abs()
    room = torch.where(turned > 0, 1 - points, points).masked_fill_(weight < 1e-12, 0.0)
    wanted = gap.abs()[:, None]
    size = _greedy(weight, room, wanted) if norm == "l1" else _newton(weight, room, wanted, norm)
    return turned.sign() * size


def _newton(weight: Tensor, room: Tensor, wanted: Tensor, norm: str) -> Tensor:
    if norm == "linf":
        pull, slope = torch.ones_like(weight), weight
    elif norm == "l2":
        pull, slope = weight, weight.square()
    else:
        raise ConfigError(f"norm {norm!r}; 'linf', 'l2' or 'l1' is expected")
    far = (weight * room).sum(dim=1, keepdim=True) <= wanted  # no such point: all the way to the corner
    radius = wanted / slope.sum(dim=1, keepdim=True).clamp_min(1e-30)
    for _ in range(_NEWTON_STEPS):
        size = torch.minimum(radius * pull, room)
        missing = wanted - (weight * size).sum(dim=1, keepdim=True)
        if bool((far | (missing <= 1e-6 * wanted)).all()):
            break
        left = (slope * (radius * pull < room)).sum(dim=1, keepdim=True)
        radius = radius + torch.where(left > 0, missing / left.clamp_min(1e-30), torch.zeros_like(left)).clamp_min(0)
    return torch.where(far, room, torch.minimum(radius * pull, room))


def _greedy(weight: Tensor, room: Tensor, wanted: Tensor) -> Tensor:
    sorted_weight, order = weight.sort(dim=1, descending=True)
    sorted_room = room.gather(1, order)
    gained = (sorted_weight * sorted_room).cpu().cumsum(dim=1).to(weight.device)  # on CUDA its order is not fixed
    before = gained - sorted_weight * sorted_room
    part = ((wanted - before) / sorted_weight.clamp_min(1e-30)).clamp_min(0)
    return torch.zeros_like(room).scatter(1, order, torch.minimum(part, sorted_room))
