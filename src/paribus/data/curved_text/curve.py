"""Lines that text is set along: straight, arcs, waves and free curves, each by the heading at every place on it.

A curve is given by its heading theta(s) at arc length s; its places are c(s) = integral of (cos theta, sin theta), so
that letters keep their width on it, and the text's plane is (s, d) -> c(s) + d n(s) with n = (-sin theta, cos theta).
With y pointing down n points below the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Kind = Literal["line", "arc", "wave", "free"]
KNOTS = 65
TIGHTEST = 0.75
"""The largest curvature times half the text's height: at 1 the inner ends of the letters would meet."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve whose middle lies at the origin and whose ends are level."""

    kind: Kind
    s: Doubles
    """(K,) arc length, from the negative half to the positive half of the length."""
    theta: Doubles
    bend: Doubles
    """(K,) curvature d theta / d s."""
    x: Doubles
    y: Doubles

    def at(self, s: Doubles, d: Doubles | float) -> Doubles:
        """Return the places (n, 2) at arc lengths *s*, *d* below the line; beyond its ends it goes straight on."""
        if self.kind == "line":
            return np.stack([s, np.broadcast_to(d, s.shape)], axis=-1)
        inside = np.clip(s, self.s[0], self.s[-1])
        beyond = s - inside
        theta = np.interp(inside, self.s, self.theta)
        cos, sin = np.cos(theta), np.sin(theta)
        x = np.interp(inside, self.s, self.x) + beyond * cos - d * sin
        y = np.interp(inside, self.s, self.y) + beyond * sin + d * cos
        return np.stack([x, y], axis=-1)

    def find(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        """Return (s, d) of places (n,), by the circle of curvature at the nearest knot."""
        if self.kind in ("line", "arc"):
            nearest = np.full(1, len(self.s) // 2)
        else:
            knots = slice(None, None, 2)
            distance = (x[:, None] - self.x[knots]) ** 2 + (y[:, None] - self.y[knots]) ** 2
            nearest = 2 * np.argmin(distance, axis=1)
        theta, bend = self.theta[nearest], self.bend[nearest]
        dx, dy = x - self.x[nearest], y - self.y[nearest]
        cos, sin = np.cos(theta), np.sin(theta)
        along, below = dx * cos + dy * sin, dy * cos - dx * sin
        bend = np.where(np.abs(bend) < 1e-7, 1e-7, bend)
        around = np.arctan2(bend * along, 1 - bend * below)
        radius = np.hypot(bend * along, 1 - bend * below)
        return self.s[nearest] + around / bend, (1 - radius) / bend

    def vertices(self, height: float, error: float = 0.015) -> Doubles:
        """Return the arc lengths, ends included, at which a polygon follows the curve to *error* of the height."""
        if self.kind == "line":
            return self.s[[0, -1]]
        worst = float(np.abs(self.bend).max())
        length = float(self.s[-1] - self.s[0])
        step = np.sqrt(8 * error * height / max(worst * (1 + worst * height / 2), 1e-9))
        return np.linspace(self.s[0], self.s[-1], 1 + int(np.clip(np.ceil(length / step), 1, 24)))


def draw_curve(kind: Kind, length: float, height: float, random: np.random.Generator) -> Curve:
    """Draw a curve of a kind for text of this *length* and *height*, in pixels."""
    if kind == "line":
        return line(length)
    s = np.linspace(-length / 2, length / 2, KNOTS)
    place = s / length
    if kind == "arc":
        least = 1.8 * height / length  # a sagitta of 0.22 heights
        most = min(TIGHTEST * 1.8 * length / height * 0.75, 4.7)
        sweep = min(max(least, random.uniform(0.5, 2.4) if random.random() < 0.85 else random.uniform(2.4, 4.7)), most)
        theta = (sweep if random.random() < 0.68 else -sweep) * place
    elif kind == "wave":
        cycles = random.uniform(0.7, 1.7)
        most = min(random.uniform(0.3, 0.8), TIGHTEST * 2 * length / height / (2 * np.pi * cycles))
        theta = most * np.sin(2 * np.pi * (cycles * place + random.random()))
    else:
        theta = random.normal(0, 0.9) * place
        for waves in (0.5, 1.0, 1.5):
            theta = theta + random.normal(0, 0.45 / waves) * np.sin(2 * np.pi * (waves * place + random.random()))
    return from_heading(kind, s, theta, height)


def line(length: float) -> Curve:
    """Return a straight line."""
    s = np.array([-length / 2, 0.0, length / 2])
    level = np.zeros(3)
    return Curve("line", s, level, level, s, level)


def arc(length: float, radius: float) -> Curve:
    """Return an arc of a circle; a positive *radius* has its middle below: the text stands on top of the circle."""
    s = np.linspace(-length / 2, length / 2, KNOTS)
    return from_heading("arc", s, s / radius, 0.0)


def from_heading(kind: Kind, s: Doubles, theta: Doubles, height: float) -> Curve:
    """Return the curve with this heading, calmed where it is too tight for the *height*, its middle at the origin."""
    bend = np.gradient(theta, s)
    worst = float(np.abs(bend).max()) * height / 2
    if worst > TIGHTEST:
        theta, bend = theta * (TIGHTEST / worst), bend * (TIGHTEST / worst)
    middle = len(s) // 2
    step = np.diff(s)
    if kind in ("wave", "free"):
        x, y = _places(theta, step)
        theta = theta - np.arctan2(y[-1] - y[0], x[-1] - x[0])
    x, y = _places(theta, step)
    return Curve(kind, s, theta, bend, x - x[middle], y - y[middle])


def _places(theta: Doubles, step: Doubles) -> tuple[Doubles, Doubles]:
    half = (theta[1:] + theta[:-1]) / 2
    x = np.concatenate([[0.0], np.cumsum(step * np.cos(half))])
    y = np.concatenate([[0.0], np.cumsum(step * np.sin(half))])
    return x, y
