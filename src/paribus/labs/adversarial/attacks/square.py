"""Square attack: random search without gradients (Andriushchenko et al. 2020, "Square Attack")."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import Ball, norm_of
from paribus.labs.adversarial.attacks.losses import margin
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.nn.window import ChangedWindow
from paribus.spec.seed import Streams

HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""The query, of 10,000, after which the share of the image that a square covers is halved (section 5)."""

LARGER = 3.0
"""How much larger than the ball a change is made in L1 before it is projected."""

LASTING = 4
"""For how many queries squares must keep their size for what the network makes of the images to be worth keeping."""


@dataclass(frozen=True, kw_only=True)
class Square:
    """Propose a square of change at random for each image; keep it where the margin falls.

    ``linf``: from vertical stripes of +-eps on, a square of side s gets +eps or -eps, a sign a channel (algorithm 2).
    ``l2``: from a grid of bumps on, the mass of two windows moves into one, with a new bump added (algorithm 3).
    ``l1``: the same, with the sum of sizes for mass, and brought into the ball from *LARGER* times its radius: the
    projection then takes away what is small and fills what [0, 1] cuts off (Croce and Hein 2021, "Mind the box").
    Each image has squares of its own. In ``linf`` the network computes only what depends on a square where it shows
    its layers (:class:`~paribus.nn.window.ChangedWindow`); what then looks broken is shown to the network itself.
    All is done in float32, for late proposals differ by less than bfloat16 can tell.

    Args:
        norm: ``linf``, ``l2`` or ``l1``.
        eps: the radius, above 0, in pixels of 1.
        queries: evaluations of each image, at most.
        share: the share of the image that the first squares cover, above 0 to 1.
        rescale: whether the schedule of sizes is stretched to *queries*; else it is that of 10,000 queries.
        restarts: runs, each only for images that are not broken yet.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    queries: int = 5000
    share: float = 0.8
    rescale: bool = True
    restarts: int = 1

    def __post_init__(self) -> None:
        if self.norm not in ("linf", "l2", "l1"):
            raise ConfigError(f"Square: norm {self.norm!r}; 'linf', 'l2' or 'l1' is expected")
        if math.isinf(self.eps):
            raise ConfigError("Square: eps is infinite; a finite radius is expected, for squares change by all of it")
        if self.queries < 1 or not 0 < self.share <= 1:
            raise ConfigError(f"Square: queries {self.queries}, share {self.share}; at least 1 and above 0 to 1")

    def side(self, query: int, height: int, width: int) -> int:
        """Return the side of the squares of query *query*, in pixels."""
        at = query * 10000 // self.queries if self.rescale else query
        share = self.share / 2 ** sum(at > start for start in HALVINGS)
        side = max(round(math.sqrt(share * height * width)), 1)
        if self.norm != "linf":
            side = max(side, 3) | 1
        return min(side, height, width)

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); draws from ``attack/square/restart=R``."""
        search = Search(model, images, labels, norm=self.norm, target=target)
        ball = Ball.around(images, self.eps, self.norm)
        for restart in range(self.restarts):
            if len(search.alive) == 0:
                break
            self._run(search, ball, streams.generator(f"attack/square/restart={restart}"))
        return search.result()

    def _run(self, search: Search, whole: Ball, generator: np.random.Generator) -> None:
        count, channels, height, width = search.images.shape
        which, ball = search.alive, whole.take(search.alive)
        alive = which.cpu().numpy()
        goals = search.labels if search.target is None else search.target
        sign = 1.0 if search.target is None else -1.0
        points = self._first(ball, generator, alive, count)

        def lead(logits: Tensor, which: Tensor) -> Tensor:
            return -sign * margin(logits, goals[which])

        logits = search.logits(points, which)
        loss, broken = lead(logits, which), search.offer(points, logits, which)
        answers = _Answers(search, len(which))
        for query in range(self.queries):
            if bool(broken.any()):
                kept = torch.nonzero(~broken).flatten()
                which, points, loss, ball = which[kept], points[kept], loss[kept], ball.take(kept)
                answers.take(kept)
                alive = which.cpu().numpy()
            if len(which) == 0:
                return
            side = self.side(query, height, width)
            places = generator.random((4, count), dtype=np.float32)[:, alive]
            signs = _signs(generator, (count, channels))[alive]
            row, column = _window(places[:2], side, height, width)
            if self.norm == "linf":
                proposed, changed = _painted(points, ball, row, column, torch.from_numpy(signs).to(points.device))
                if side != answers.side:
                    lasts = self.side(min(query + LASTING, self.queries) - 1, height, width) == side
                    answers.renew(points, side, lasts=lasts)
            else:
                other = _window(places[2:], side, height, width)
                bump = _bump(side, self.norm, tall=bool(generator.random() < 0.5))
                proposed = _moved_mass(points, ball, (row, column), other, bump, torch.from_numpy(signs))
                changed = (proposed != points).flatten(1).any(dim=1)
            value, broken = loss.clone(), torch.zeros_like(loss, dtype=torch.bool)
            new = torch.nonzero(changed).flatten()  # of others all is known
            if len(new):
                at = torch.stack([row[:, 0, 0], column[:, 0, 0]]).to(new.device)[:, new]
                logits = answers.to(proposed[new], which[new], new, at)
                value[new] = lead(logits, which[new])
                broken[new] = search.offer(proposed[new], logits, which[new])
            better = value < loss
            answers.keep(better[new])
            won = torch.nonzero(better).flatten()
            points[won] = proposed[won]
            loss = torch.where(better, value, loss)

    def _first(self, ball: Ball, generator: np.random.Generator, alive: NDArray[np.int64], count: int) -> Tensor:
        _, channels, height, width = ball.centre.shape
        if self.norm == "linf":
            stripes = torch.from_numpy(_signs(generator, (count, channels, 1, width))[alive])
            return torch.where(stripes.to(ball.centre.device) > 0, ball.high, ball.low)
        moved = torch.zeros_like(ball.centre)
        side = max(1, min(height, width) // 5)
        for top in range((height - height // side * side) // 2, height - side + 1, side):
            for left in range((width - width // side * side) // 2, width - side + 1, side):
                signs = torch.from_numpy(_signs(generator, (count, channels))[alive])
                bump = _bump(side, self.norm, tall=bool(generator.random() < 0.5))
                moved[:, :, top : top + side, left : left + side] += (bump * rows_of(signs)).to(moved.device)
        return _brought_in(moved, ball)


class _Answers:
    """The network's answers to proposals that differ from each image's present point in a square."""

    def __init__(self, search: Search, count: int) -> None:
        self.search, self.side = search, 0
        self._window: ChangedWindow | None = None
        self._place = torch.arange(count, device=search.images.device)

    def renew(self, points: Tensor, side: int, *, lasts: bool) -> None:
        """Take note of the present *points*, one for each image that is left, and of the squares' side."""
        self.side, self._window = side, None
        self._place = torch.arange(len(points), device=points.device)
        if lasts and self.search.dtype == torch.float32 and not self.search.random:
            window = ChangedWindow(self.search.model, points, side)
            self._window = window if window.gains else None

    def take(self, kept: Tensor) -> None:
        """Go on with some of the images."""
        self._place = self._place[kept]

    def to(self, proposed: Tensor, which: Tensor, rows: Tensor, at: Tensor) -> Tensor:
        """Return logits (R, K) of *proposed*, candidates for the images *which*, the *rows* of those that are left."""
        if self._window is None:
            return self.search.logits(proposed, which)
        self.search.queries[which] += 1
        logits = self._window.logits(proposed, self._place[rows], at)
        seen = torch.nonzero(self.search.adversarial(logits, which)).flatten()
        if len(seen):  # rounding must not decide
            logits[seen] = self.search.logits(proposed[seen], which[seen])
        return logits

    def keep(self, kept: Tensor) -> None:
        """Say which of the last proposals (R,) are the present points now."""
        if self._window is not None:
            self._window.keep(kept)


def rows_of(values: Tensor) -> Tensor:
    """Return (B, C) as (B, C, 1, 1)."""
    return values[:, :, None, None]


def _signs(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return (generator.integers(0, 2, shape, dtype=np.int8) * 2 - 1).astype(np.float32)


def _window(places: NDArray[np.float32], side: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return rows (B, side, 1) and columns (B, 1, side) of a square at *places* (2, B) in [0, 1)."""
    span = np.arange(side)
    top = np.minimum((places[0] * (height - side + 1)).astype(np.int64), height - side)
    left = np.minimum((places[1] * (width - side + 1)).astype(np.int64), width - side)
    return torch.from_numpy(top[:, None, None] + span[:, None]), torch.from_numpy(left[:, None, None] + span)


def _painted(points: Tensor, ball: Ball, row: Tensor, column: Tensor, signs: Tensor) -> tuple[Tensor, Tensor]:
    """Return *points* with each image's window at its upper or lower bound, by the channel's sign (B, C).

    And which of them that changes (B,).
    """
    at = (torch.arange(len(points))[:, None, None], row, column)
    proposed = points.clone()
    by_pixel = proposed.permute(0, 2, 3, 1)  # a view: what is written there is written in proposed
    high, low = ball.high.permute(0, 2, 3, 1)[at], ball.low.permute(0, 2, 3, 1)[at]
    fresh = torch.where(signs[:, None, None, :] > 0, high, low)
    changed = (fresh != by_pixel[at]).flatten(1).any(dim=1)
    by_pixel[at] = fresh
    return proposed, changed


def _mass(values: Tensor, norm: str) -> Tensor:
    """Return what adds up in the norm, of each number: its square in ``l2``, its size in ``l1``."""
    return values.square() if norm == "l2" else values.abs()


def _length(mass: Tensor, norm: str) -> Tensor:
    """Return the length that a sum of masses stands for."""
    return mass.sqrt() if norm == "l2" else mass


def _brought_in(moved: Tensor, ball: Ball) -> Tensor:
    """Return the points of the ball that the changes *moved* (B, C, H, W), made as long as the radius, lead to."""
    length = ball.eps / norm_of(moved, ball.norm).clamp_min(1e-12)
    return ball.project(ball.centre + moved * (length if ball.norm == "l2" else LARGER * length))


def _bump(side: int, norm: str, *, tall: bool) -> Tensor:
    """Return the bump of section 3.4, (side, side) of length 1: two pyramids of opposite sign, one beside the other."""
    half = side // 2
    bump = torch.cat([_pyramid(half, side), -_pyramid(side - half, side)])
    bump = bump / _length(_mass(bump, norm).sum(), norm)
    return bump.T if tall else bump


def _pyramid(height: int, width: int) -> Tensor:
    bump = torch.zeros(height, width)
    row, column = height // 2, width // 2
    for layer in range(max(row, column) + 1):
        top, left = max(row - layer, 0), max(column - layer, 0)
        bump[top : max(row + layer + 1, 0), left : max(column + layer + 1, 0)] += 1 / (layer + 1) ** 2
    return bump


def _moved_mass(
    points: Tensor, ball: Ball, here: tuple[Tensor, Tensor], there: tuple[Tensor, Tensor], bump: Tensor, signs: Tensor
) -> Tensor:
    """Return *points* with the change in window *there* taken away and its mass given to window *here*."""
    index = torch.arange(len(points))[:, None, None]
    moved = points - ball.centre
    by_pixel = moved.permute(0, 2, 3, 1)  # a view: what is written there is written in moved
    norm, whole = ball.norm, ball.radius**2 if ball.norm == "l2" else ball.radius
    spare = (whole - _mass(by_pixel, norm).sum(dim=(1, 2, 3))).clamp_min(0)
    old = by_pixel[(index, *here)]
    mass = _mass(old, norm).sum(dim=(1, 2)) + _mass(by_pixel[(index, *there)], norm).sum(dim=(1, 2))
    mass = (mass - _overlap(here, there, by_pixel, norm)).clamp_min(0)
    fresh = (bump[None, :, :, None] * signs[:, None, None, :]).to(points.device)
    fresh = fresh + _unit(old, norm)
    wanted = _length(spare[:, None] / moved.shape[1] + mass, norm)
    by_pixel[(index, *there)] = 0.0
    by_pixel[(index, *here)] = _unit(fresh, norm) * wanted[:, None, None, :]
    return _brought_in(moved, ball)


def _unit(window: Tensor, norm: str) -> Tensor:
    """Return each channel of *window* (B, s, s, C) at length 1."""
    return window / _length(_mass(window, norm).sum(dim=(1, 2), keepdim=True), norm).clamp_min(1e-12)


def _overlap(here: tuple[Tensor, Tensor], there: tuple[Tensor, Tensor], by_pixel: Tensor, norm: str) -> Tensor:
    """Return the mass (B, C) that lies in both windows."""
    inside = torch.zeros(by_pixel.shape[:3], dtype=torch.bool)
    index = torch.arange(len(by_pixel))[:, None, None]
    inside[(index, *there)] = True
    both = inside[(index, *here)]
    return (_mass(by_pixel[(index, *here)], norm) * both[..., None].to(by_pixel.device)).sum(dim=(1, 2))
