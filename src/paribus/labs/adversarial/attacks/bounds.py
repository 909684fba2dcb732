"""The set that an attack may move in: a ball of a norm around each image, within [0, 1], exact in the images' dtype."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.norms import NORMS

_NEWTON_STEPS = 30


def inner_radius(eps: float, norm: str, dtype: torch.dtype, numbers: int) -> float:
    """Return the radius to aim at so that rounding never leads beyond *eps*, for images of so many *numbers*.

    For ``linf`` it is eps: there the bounds themselves are rounded inwards; for ``l0`` too: counting is exact. For
    ``l2`` and ``l1`` it is less by what a sum in *dtype* may be wrong by, and by what float32 may be wrong by in each
    of the pixels, 2^-25 at most.
    """
    if norm in ("linf", "l0") or math.isinf(eps):
        return eps
    pixel = 2.0**-25 * (math.sqrt(numbers) if norm == "l2" else numbers)
    return max(0.0, eps * (1 - max(1e-6, torch.finfo(dtype).eps)) - pixel)


def distance(points: Tensor, centre: Tensor, norm: str) -> Tensor:
    """Return the norm of each difference, (B,) float64, for images (B, ...) of any float dtype.

    ``linf``: the largest |x - c|. ``l2``: the root of the sum of squares. ``l1``: the sum of |x - c|. ``l0``: the
    number of pixels (positions) of which a channel differs.
    """
    moved = (points.double() - centre.double()).abs()
    if norm == "l0":
        return (moved > 0).any(dim=1).flatten(1).sum(dim=1).double()
    flat = moved.flatten(1)
    if norm == "linf":
        return flat.amax(dim=1)
    if norm == "l2":
        return flat.square().sum(dim=1).sqrt()
    if norm == "l1":
        return flat.sum(dim=1)
    raise ConfigError(f"norm {norm!r}; one of {', '.join(NORMS)} is expected")


def rows(values: Tensor) -> Tensor:
    """Return (B,) as (B, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)


def norm_of(moved: Tensor, norm: str) -> Tensor:
    """Return the norm of each (B, ...) in the dtype given, as (B, 1, 1, 1); for steps, where an ulp does not matter."""
    flat = moved.flatten(1)
    order = {"linf": torch.inf, "l2": 2.0, "l1": 1.0}[norm]
    return rows(torch.linalg.vector_norm(flat, order, dim=1))


def rounded_towards(points: Tensor, centre: Tensor, dtype: torch.dtype) -> Tensor:
    """Return *points* in *dtype*, each number rounded towards the *centre* (itself of that dtype), never past it."""
    rounded = points.to(dtype)
    goal = centre.to(dtype)
    beyond = (rounded.double() - goal.double()).abs() > (points.double() - goal.double()).abs()
    return torch.where(beyond, torch.nextafter(rounded, goal), rounded)


@dataclass(frozen=True, eq=False)
class Ball:
    """For each image c the points x of [0, 1] with ||x - c|| <= eps.

    For ``linf`` it is the box from *low* to *high*, rounded inwards, so that |x - c| <= eps holds in exact arithmetic
    and hence in any that rounds monotonically. For ``l2`` and ``l1`` the *radius* is a
    little less than eps, see :func:`inner_radius`.

    Args:
        centre: (B, 3, H, W) float32, numbers of the images' dtype.
        low, high: the smallest and largest value of each number, of the images' dtype.
        eps: the bound; infinity for none; for ``l0`` a number of pixels.
        norm: ``linf``, ``l2``, ``l1`` or ``l0``.
        radius: what projections aim at.
    """

    centre: Tensor
    low: Tensor
    high: Tensor
    eps: float
    norm: str
    radius: float

    @staticmethod
    def around(images: Tensor, eps: float, norm: str) -> Ball:
        """Return the ball around *images* (B, 3, H, W), whose dtype is the one in which the bounds are exact."""
        if norm not in NORMS:
            raise ConfigError(f"norm {norm!r}; one of {', '.join(NORMS)} is expected")
        if not eps > 0:
            raise ConfigError(f"eps is {eps}; a radius above 0 is expected")
        low, high = torch.zeros_like(images), torch.ones_like(images)
        if norm == "linf":
            exact = images.double()
            high = rounded_towards((exact + eps).clamp(max=1.0), images, images.dtype)
            low = rounded_towards((exact - eps).clamp(min=0.0), images, images.dtype)
        radius = inner_radius(eps, norm, images.dtype, images[:1].numel())
        return Ball(images.float(), low.float(), high.float(), eps, norm, radius)

    def take(self, which: Tensor) -> Ball:
        """Return the balls of some of the images: indices or a mask (B,)."""
        return Ball(self.centre[which], self.low[which], self.high[which], self.eps, self.norm, self.radius)

    @property
    def stride(self) -> float:
        """What lengths of steps are shares of: eps, or a pixel's range where eps is larger or counts pixels."""
        return {"linf": min(self.eps, 1.0), "l0": 1.0}.get(self.norm, min(self.eps, 1e6))

    def project(self, points: Tensor) -> Tensor:
        """Return the nearest points of the ball (for ``l2``: nearest in the ball, then in the box, which is inside)."""
        if self.norm == "l0":
            return l0_projection(points, self.centre, self.radius)
        if self.norm == "linf":
            return torch.clamp(points, self.low, self.high)
        if self.norm == "l2":
            moved = points - self.centre
            length = norm_of(moved, "l2").clamp_min(1e-20)
            return (self.centre + moved * (self.radius / length).clamp(max=1.0)).clamp_(0.0, 1.0)
        return self.centre + l1_projection(points - self.centre, self.centre, self.radius)

    def start(self, noise: Tensor) -> Tensor:
        """Return a random start from *noise*, shaped as the images: uniform in [-1, 1] for linf and l0, else normal.

        For ``linf`` c + eps * noise, for ``l0`` c + noise; for ``l2`` and ``l1`` a point at the distance eps in the
        noise's direction. All are then brought into the ball and [0, 1].
        """
        if self.norm in ("linf", "l0"):
            return self.project(self.centre + self.stride * noise)
        return self.project(self.centre + noise * (self.stride / norm_of(noise, self.norm).clamp_min(1e-20)))


def l0_projection(points: Tensor, centre: Tensor, count: float) -> Tensor:
    """Return the nearest point of [0, 1] that differs from *centre* in at most *count* pixels, to each of *points*.

    With z = points cut to [0, 1], those pixels are moved to z whose move gains most: the largest sums over channels of
    (points - centre)^2 - (points - z)^2 (Croce and Hein 2019, "Sparse and imperceivable", section 2.1).
    """
    cut = points.clamp(0.0, 1.0)
    gain = ((points - centre).square() - (points - cut).square()).sum(dim=1).flatten(1)
    kept = gain.topk(min(int(min(count, 1e9)), gain.shape[1]), dim=1).indices
    chosen = torch.zeros_like(gain, dtype=torch.bool).scatter_(1, kept, True)
    return torch.where(chosen.view(len(points), 1, *points.shape[2:]), cut, centre)


def l1_projection(moved: Tensor, centre: Tensor, radius: float) -> Tensor:
    """Return the nearest d with sum |d| <= radius and centre + d in [0, 1] to each *moved* (B, ...).

    With s = sign(moved) and the room u = 1 - c where s > 0, else c: |d| = min(max(|moved| - t, 0), u), where t >= 0 is
    the least for which the sum is at most the radius (Croce and Hein 2021, "Mind the box", proposition 2.1). The sum
    falls with t and is convex between its kinks only, so t is found by bisection.
    """
    size = moved.abs().flatten(1)
    room = torch.where(moved > 0, 1 - centre, centre).flatten(1)
    low = torch.zeros(len(size), 1, device=moved.device)
    high = size.amax(dim=1, keepdim=True)
    within = torch.minimum(size, room).sum(dim=1, keepdim=True) <= radius
    for _ in range(_NEWTON_STEPS):
        middle = (low + high) / 2
        too_much = torch.minimum((size - middle).clamp_min(0), room).sum(dim=1, keepdim=True) > radius
        low, high = torch.where(too_much, middle, low), torch.where(too_much, high, middle)
    shrunk = torch.minimum((size - torch.where(within, torch.zeros_like(high), high)).clamp_min(0), room)
    return moved.sign() * shrunk.view_as(moved)


def ascent(gradient: Tensor, norm: str, *, kept: float | Tensor = 0.01) -> Tensor:
    """Return the direction of steepest ascent of length one in the norm, for gradients (B, 3, H, W).

    ``linf``: the sign. ``l2``: the gradient over its length. ``l1``: the sign of the share *kept* of the largest
    entries, one for all or one an image (B,), over their number (Tramèr and Boneh 2019, "Multiple perturbations",
    section 3.2). ``l0``, which has no steepest direction: the gradient over the mean size of its entries.
    """
    if norm == "l0":
        return gradient / rows(gradient.abs().flatten(1).mean(dim=1)).clamp_min(1e-20)
    if norm == "linf":
        return gradient.sign()
    if norm == "l2":
        return gradient / norm_of(gradient, "l2").clamp_min(1e-20)
    flat = gradient.abs().flatten(1)
    share = torch.as_tensor(kept, dtype=torch.float64, device=flat.device).expand(len(flat))
    count = (share * flat.shape[1]).round().long().clamp(1, flat.shape[1])
    least = flat.topk(int(count.max()), dim=1).values.gather(1, count[:, None] - 1)
    chosen = gradient.sign() * (flat >= least).view_as(gradient)
    return chosen / norm_of(chosen, "l1").clamp_min(1.0)
