"""Colours, relief, contour, shadow and light of a number on its surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data.street_digits.layout import SIZE

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

PALETTE = np.array(
    [
        (236, 236, 234), (222, 220, 210), (205, 200, 190), (186, 182, 176), (166, 166, 166), (148, 150, 154),
        (128, 131, 136), (102, 106, 112), (74, 76, 82), (42, 43, 48), (22, 22, 26), (132, 98, 84), (110, 74, 64),
        (98, 72, 56), (134, 112, 88), (176, 150, 116), (194, 176, 140), (72, 56, 48), (48, 66, 60), (72, 92, 84),
        (122, 134, 126), (52, 64, 90), (84, 104, 136), (140, 158, 182), (132, 48, 50), (184, 162, 100),
    ],
    dtype=np.float32,
)  # fmt: skip
"""Whites, creams, greys and blacks (11), then brick, woods, greens, blues, red and brass."""
WEIGHTS = np.array([2.0] * 11 + [1.0] * 13 + [0.5, 0.7])
SUNLIGHT = 2 * np.pi


@dataclass(frozen=True, eq=False)
class Paint:
    """The paints of a shard; every array has one row for each crop. Lengths of relief are in digit heights."""

    digit: Floats
    contrast: Floats
    """Difference in brightness between digit and ground, 0..255."""
    contour: Floats
    plate: Floats
    scale: Floats
    """Pixels to a digit's height."""
    weight: Floats
    """Thickening of the strokes."""
    contour_width: Floats
    relief: Floats
    """Brightness of a bevel's edge that faces the light."""
    shadow: Floats
    shadow_softness: Floats
    sheen: Floats
    """Change of the digit's brightness from top to bottom."""
    light: Floats
    """(N, 2) relative change of brightness from the window's middle to its side and to its bottom."""
    shade: Floats
    """(N, 4) direction, place, softness and depth of the edge of a large shadow."""
    streak: Floats
    """(N, 4) direction, place, half width and opacity of a wire, twig or edge in front."""
    streak_colour: Floats

    @staticmethod
    def draw(height: Doubles, random: np.random.Generator) -> Paint:
        """Draw the paints of a shard, for digits of these heights (in window heights)."""
        count = len(height)

        def some(share: float, low: float, high: float) -> Floats:
            values = random.uniform(low, high, count)
            return np.where(random.random(count) < share, values, 0).astype(np.float32)

        def even(low: float, high: float) -> Floats:
            return random.uniform(low, high, count).astype(np.float32)

        faint = random.random(count) < 0.30
        return Paint(
            digit=draw_colours(count, random),
            contrast=np.where(faint, even(26, 55), even(45, 145)),
            contour=draw_colours(count, random),
            plate=draw_colours(count, random),
            scale=(height * SIZE).astype(np.float32),
            weight=random.normal(0, 0.014, count).astype(np.float32),
            contour_width=some(0.14, 0.03, 0.09),
            relief=some(0.30, 15, 60),
            shadow=some(0.35, 0.2, 0.7),
            shadow_softness=even(0.02, 0.12),
            sheen=random.normal(0, 14, count).astype(np.float32),
            light=random.normal(0, 0.14, (count, 2)).astype(np.float32),
            shade=np.stack(
                [even(0, SUNLIGHT), random.normal(0, 0.3, count), np.exp(even(-4.6, -1.2)), some(0.25, 0.2, 0.55)],
                axis=1,
            ).astype(np.float32),
            streak=np.stack([even(0, SUNLIGHT), even(-0.5, 0.5), even(0.01, 0.05), some(0.10, 0.3, 0.9)], axis=1),
            streak_colour=draw_colours(count, random),
        )

    def apply(self, rows: slice, ground: Floats, digits: Floats, shadow: Floats, plate: Floats) -> Floats:
        """Return the painted and lit scenes (n, 40, 40, 3) of some crops, from their grounds and distance fields."""

        def each(values: Floats) -> Floats:
            return values[rows, None, None]

        def colour(values: Floats) -> Floats:
            return values[rows, None, None, :]

        y, x = np.ogrid[:SIZE, :SIZE]
        down, across = ((axis - (SIZE - 1) / 2).astype(np.float32) / SIZE for axis in (y, x))
        pixels = each(self.scale)
        body = digits + each(self.weight)
        shade = 1 - each(self.shadow) * np.clip(0.5 + (shadow + each(self.weight)) / each(self.shadow_softness), 0, 1)
        plated = colour(self.plate) + np.float32(0.3) * (ground - ground.mean(axis=(1, 2), keepdims=True))
        scene = ground + _cover(plate, pixels) * (plated - ground)
        scene *= shade[..., None]

        face = _contrasting(self.digit[rows], self.contrast[rows], scene)[:, None, None, :]
        ringed = np.where(each(self.contour_width) > 0, _cover(body + each(self.contour_width), pixels)[..., 0], 0)
        scene += ringed[..., None] * (colour(self.contour) - scene)
        slope = sum(np.gradient(body, axis=(1, 2))) * np.clip(1 - np.abs(body) / np.float32(0.08), 0, 1)
        finish = each(self.sheen) * down + each(self.relief) * slope * (pixels / np.float32(1.5))
        scene += _cover(body, pixels) * (face + finish[..., None] - scene)

        direction, place, half, opacity = (each(self.streak[:, part]) for part in range(4))
        distance = np.abs(across * np.cos(direction) + down * np.sin(direction) - place)
        strength = opacity * np.clip((half - distance) * SIZE + np.float32(0.5), 0, 1)
        scene += strength[..., None] * (colour(self.streak_colour) - scene)
        direction, place, softness, depth = (each(self.shade[:, part]) for part in range(4))
        beyond = (across * np.cos(direction) + down * np.sin(direction) - place) / softness
        light = 1 + 2 * (each(self.light[:, 0]) * across + each(self.light[:, 1]) * down)
        lit = light - depth * np.clip(beyond + np.float32(0.5), 0, 1)
        return np.asarray(scene * lit[..., None], dtype=np.float32)


def draw_colours(count: int, random: np.random.Generator) -> Floats:
    """Draw colours near those of the palette: (N, 3) in about 0..255."""
    base = PALETTE[random.choice(len(PALETTE), count, p=WEIGHTS / WEIGHTS.sum())]
    varied = base * random.uniform(0.78, 1.12, (count, 1)) + random.normal(0, 5, (count, 3))
    return np.asarray(varied, dtype=np.float32)


def _cover(distance: Floats, pixels: Floats) -> Floats:
    """Return how much of each pixel lies inside: (n, S, S, 1) in 0..1."""
    return np.asarray(np.clip(distance * pixels + np.float32(0.5), 0, 1)[..., None], dtype=np.float32)


def _contrasting(colour: Floats, contrast: Floats, scene: Floats) -> Floats:
    """Move colours in brightness until they differ by *contrast* from what lies in the window's middle.

    On a busy ground the contrast is raised to 1.5 standard deviations of it: people hang numbers that can be read.
    """
    inner = scene[:, SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4].mean(axis=3)
    behind = inner.mean(axis=(1, 2))
    contrast = np.maximum(contrast, 1.5 * inner.std(axis=(1, 2)))
    level = colour.mean(axis=1)
    lighter = level >= behind
    lighter = np.where(behind + contrast > 250, False, np.where(behind - contrast < 8, True, lighter))
    wanted = np.clip(np.where(lighter, behind + contrast, behind - contrast), 6, 252)
    darkened = colour * (wanted / np.maximum(level, 1))[:, None]
    lightened = 255 - (255 - colour) * ((255 - wanted) / np.maximum(255 - level, 1))[:, None]
    return np.asarray(np.where((wanted < level)[:, None], darkened, lightened), dtype=np.float32)
