"""The number on its surface: layout, perspective, colours, relief, contour, plate, shadow and light.

Every crop is a square window around one digit. The window is [-0.5, 0.5]^2; the number lies in a frame of its own,
in units of the digit's height, and one homography takes it to the window.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.split import Split
from paribus.data.street_digits.glyphs import FAR, HEIGHT, MARGIN, Glyph, glyphs
from paribus.data.street_digits.grounds import SIDE, textures

SIZE = 48
"""Pixels of the window while the scene is composed; the camera reduces it."""
Floats = NDArray[np.float32]

PALETTE = np.array(
    [
        (236, 234, 228), (222, 214, 196), (205, 196, 178), (186, 178, 165), (168, 164, 160), (150, 150, 152),
        (128, 130, 135), (100, 104, 112), (72, 74, 80), (40, 40, 44), (20, 20, 24), (150, 92, 70), (122, 62, 50),
        (96, 60, 42), (140, 100, 66), (180, 140, 96), (196, 168, 120), (70, 44, 34), (36, 62, 50), (60, 90, 76),
        (120, 140, 120), (40, 56, 92), (78, 106, 148), (140, 164, 190), (150, 30, 36), (200, 170, 80),
    ],
    dtype=np.float32,
)  # fmt: skip
"""Colours of walls, doors, plates and digits: whites, creams, greys, blacks, bricks, woods, greens, blues, red, brass."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """What lies where in each window, as signed distances in digit heights (positive inside)."""

    digits: Floats
    shadow: Floats
    plate: Floats
    scale: Floats
    """(N,) pixels to a digit's height."""


def compose(split: Split, labels: NDArray[np.int64], random: np.random.Generator) -> Floats:
    """Return the scenes of *labels*: (N, 48, 48, 3) RGB, in 0..255 or a little outside."""
    shapes = _lay_out(split, labels, random)
    ground = _ground(split, len(labels), random)
    scene = np.empty_like(ground)
    paint = Paint.draw(len(labels), random)
    for start in range(0, len(labels), 64):  # slabs that stay in the processor's cache
        rows = slice(start, start + 64)
        scene[rows] = paint.apply(ground[rows], shapes, rows)
    return scene


def _lay_out(split: Split, labels: NDArray[np.int64], random: np.random.Generator) -> Shapes:
    faces = glyphs(split)
    count = len(labels)
    face = random.integers(0, len(faces), count)
    height = np.clip(random.normal(0.83, 0.09, count), 0.58, 1.08)
    stretch = np.exp(random.normal(0.0, 0.14, count))
    gap = np.clip(random.normal(0.14, 0.09, count), -0.03, 0.5)
    spread = np.where(random.random(count) < 0.06, random.normal(0, 0.25, count), random.normal(0, 0.015, count))
    others = random.choice(10, (count, 4), p=np.array([8, 14, 12, 11, 10, 10, 9, 9, 9, 8]) / 100)
    left, right = random.random((2, count)) < 0.62
    homography = _homographies(height, stretch, random)
    offset = random.uniform(-1, 1, (count, 2)) * random.uniform(0.02, 0.12, (count, 1))
    has_plate = random.random(count) < 0.28
    border = random.uniform(0.06, 0.35, (count, 2))
    digits = np.full((count, SIZE, SIZE), FAR, dtype=np.float32)
    shadow = np.full_like(digits, FAR)
    plate = np.full_like(digits, FAR)
    for row in range(count):
        set_ = faces[face[row]]
        placed = _number(set_, int(labels[row]), others[row], bool(left[row]), bool(right[row]), gap[row])
        for glyph, centre, place in placed:
            matrix = homography[row] @ _glyph_frame(glyph, centre, place * spread[row])
            warped = cv2.warpPerspective(glyph.field, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR,
                                         borderMode=cv2.BORDER_CONSTANT, borderValue=FAR)  # fmt: skip
            np.maximum(digits[row], warped, out=digits[row])
        move = np.array([[1, 0, offset[row, 0] * SIZE], [0, 1, offset[row, 1] * SIZE]])
        cv2.warpAffine(digits[row], move, (SIZE, SIZE), dst=shadow[row], borderMode=cv2.BORDER_REPLICATE)
        if has_plate[row]:
            first = min(centre - glyph.width / 2 for glyph, centre, _ in placed)
            last = max(centre + glyph.width / 2 for glyph, centre, _ in placed)
            plate[row] = _plate(homography[row], first, last, border[row])
    return Shapes(digits, shadow, plate, (height * SIZE).astype(np.float32))


def _number(
    face: tuple[Glyph, ...], digit: int, others: NDArray[np.int64], left: bool, right: bool, gap: float
) -> list[tuple[Glyph, float, int]]:
    """Return the glyphs of a number with their centres and their places; the digit of interest is at 0."""
    placed = [(face[digit], 0.0, 0)]
    for side, wanted, pair in ((-1, left, others[:2]), (1, right, others[2:])):
        edge = face[digit].width / 2
        for place, other in enumerate(pair if wanted else (), start=1):
            glyph = face[int(other)]
            placed.append((glyph, side * (edge + gap + glyph.width / 2), side * place))
            edge += gap + glyph.width
            if edge > 0.9:
                break
    return placed


def _glyph_frame(glyph: Glyph, centre: float, drop: float) -> NDArray[np.float64]:
    across = max(1, round(glyph.width * HEIGHT))
    return np.array(
        [
            [1 / HEIGHT, 0, centre - (MARGIN + across / 2) / HEIGHT],
            [0, 1 / HEIGHT, drop - (MARGIN + HEIGHT / 2) / HEIGHT],
            [0, 0, 1],
        ]
    )


def _homographies(
    height: NDArray[np.float64], stretch: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the maps from the number's frame to pixels: (N, 3, 3)."""
    count = len(height)
    angle = np.deg2rad(np.where(random.random(count) < 0.1, random.normal(0, 14, count), random.normal(0, 4, count)))
    shear = random.normal(0, 0.10, count)
    tilt = random.normal(0, 0.10, (count, 2))
    shift = random.normal(0, 0.035, (count, 2))
    matrix = np.zeros((count, 3, 3))
    cos, sin = np.cos(angle) * height, np.sin(angle) * height
    matrix[:, 0, 0], matrix[:, 0, 1] = cos * stretch, -sin + shear * cos
    matrix[:, 1, 0], matrix[:, 1, 1] = sin * stretch, cos + shear * sin
    matrix[:, :2, 2] = shift
    matrix[:, 2, :2] = tilt
    matrix[:, 2, 2] = 1
    to_pixels = np.array([[SIZE, 0, (SIZE - 1) / 2], [0, SIZE, (SIZE - 1) / 2], [0, 0, 1]])
    return to_pixels @ matrix


def _plate(homography: NDArray[np.float64], first: float, last: float, border: NDArray[np.float64]) -> Floats:
    """Return the distance to a plate behind the number, linear near its edge."""
    width, height = last - first + 2 * border[0], 1 + 2 * border[1]
    y, x = np.mgrid[:SIZE, :SIZE]
    inverse = np.linalg.inv(homography)
    w = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / w - (first + last) / 2
    v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / w
    return np.minimum(width / 2 - np.abs(u), height / 2 - np.abs(v)).astype(np.float32)


def _ground(split: Split, count: int, random: np.random.Generator) -> Floats:
    drawn, photographs = textures(split)
    photographed = random.random(count) < 0.22
    which = random.random(count)
    colour = _colours(count, random)
    strength = np.exp(random.normal(np.log(9.0), 0.7, count)).astype(np.float32)
    zoom = np.exp(random.normal(np.log(1.6), 0.5, count))
    angle = np.where(random.random(count) < 0.15, random.uniform(0, 360, count), random.normal(0, 3, count))
    centre = random.uniform(0.25, 0.75, (count, 2)) * SIDE
    keep = random.uniform(0.2, 1.0, count).astype(np.float32)
    ground = np.empty((count, SIZE, SIZE, 3), dtype=np.float32)
    for row in range(count):
        source = photographs if photographed[row] else drawn
        matrix = cv2.getRotationMatrix2D((centre[row, 0], centre[row, 1]), angle[row], zoom[row])
        matrix[:, 2] += SIZE / 2 - centre[row]
        cv2.warpAffine(source[int(which[row] * len(source))], matrix, (SIZE, SIZE), dst=ground[row],
                       flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
    tint = colour[:, None, None, :]
    ground[~photographed] *= strength[~photographed, None, None, None]
    ground[~photographed] += tint[~photographed]
    mix = keep[photographed, None, None, None]
    ground[photographed] = mix * ground[photographed] + (1 - mix) * tint[photographed]
    return ground


def _colours(count: int, random: np.random.Generator) -> Floats:
    base = PALETTE[random.integers(0, len(PALETTE), count)]
    return (base * random.uniform(0.75, 1.15, (count, 1)) + random.normal(0, 8, (count, 3))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Paint:
    """The colours, the finish and the light of each crop of a shard; every array has N rows."""

    digit: Floats
    contour: Floats
    plate: Floats
    weight: Floats
    contour_width: Floats
    relief: Floats
    shadow: Floats
    shadow_softness: Floats
    sheen: Floats
    light: Floats
    """(N, 2) gradient of brightness across the window."""
    shade: Floats
    """(N, 4): direction, place, softness and depth of a shadow's edge."""
    streak: Floats
    """(N, 4): direction, place, half width and opacity of a wire, twig or edge in front."""
    streak_colour: Floats

    @staticmethod
    def draw(count: int, random: np.random.Generator) -> Paint:
        """Draw a shard's paints."""

        def some(share: float, values: NDArray[np.float64]) -> Floats:
            return np.where(random.random(count) < share, values, 0.0).astype(np.float32)

        contrast = np.where(random.random(count) < 0.3, random.uniform(22, 60, count), random.uniform(45, 170, count))
        shade = np.stack(
            [random.uniform(0, 2 * np.pi, count), random.normal(0, 0.25, count),
             np.exp(random.uniform(np.log(0.01), np.log(0.3), count)), some(0.25, random.uniform(0.2, 0.65, count))],
            axis=1,
        )  # fmt: skip
        streak = np.stack(
            [random.uniform(0, 2 * np.pi, count), random.uniform(-0.5, 0.5, count),
             random.uniform(0.01, 0.05, count), some(0.10, random.uniform(0.3, 0.9, count))],
            axis=1,
        )  # fmt: skip
        digit = _colours(count, random)
        return Paint(
            digit=np.concatenate([digit, contrast[:, None].astype(np.float32)], axis=1),
            contour=_colours(count, random),
            plate=_colours(count, random),
            weight=random.normal(0.0, 0.014, count).astype(np.float32),
            contour_width=some(0.14, random.uniform(0.03, 0.09, count)),
            relief=some(0.30, random.uniform(15, 60, count)),
            shadow=some(0.35, random.uniform(0.25, 0.8, count)),
            shadow_softness=random.uniform(0.02, 0.12, count).astype(np.float32),
            sheen=random.normal(0, 16, count).astype(np.float32),
            light=random.normal(0, 0.16, (count, 2)).astype(np.float32),
            shade=shade.astype(np.float32),
            streak=streak.astype(np.float32),
            streak_colour=_colours(count, random),
        )

    def apply(self, ground: Floats, shapes: Shapes, rows: slice) -> Floats:
        """Paint, light and return the scenes of one slab."""

        def each(values: Floats) -> Floats:
            return values[rows, None, None]

        pixels = each(shapes.scale)
        y, x = np.meshgrid(*[(np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2) / SIZE] * 2, indexing="ij")
        body = shapes.digits[rows] + each(self.weight)
        scene = ground
        behind = _cover(shapes.plate[rows], pixels)[..., None]
        scene = scene + behind * (self.plate[rows, None, None, :] + 0.3 * (ground - ground.mean((1, 2), keepdims=True)) - scene)
        cast = np.clip(0.5 + (shapes.shadow[rows] + each(self.weight)) / each(self.shadow_softness), 0, 1)
        scene = scene * (1 - each(self.shadow) * cast)[..., None]
        colour = _contrasting(self.digit[rows], scene)
        ring = _cover(body + each(self.contour_width), pixels)[..., None]
        scene = scene + ring * (each(self.contour_width) > 0)[..., None] * (self.contour[rows, None, None, :] - scene)
        face = colour[:, None, None, :] + (each(self.sheen) * y)[..., None]
        down, across = np.gradient(body, axis=(1, 2))
        bevel = np.clip(1 - np.abs(body) / 0.08, 0, 1) * pixels
        face = face + (each(self.relief) * bevel * (down + across) / 1.5)[..., None]
        scene = scene + _cover(body, pixels)[..., None] * (face - scene)
        direction, place, half, opacity = (each(self.streak[:, k]) for k in range(4))
        distance = np.abs(x * np.cos(direction) + y * np.sin(direction) - place)
        scene = scene + (opacity * np.clip((half - distance) * SIZE + 0.5, 0, 1))[..., None] * (
            self.streak_colour[rows, None, None, :] - scene
        )
        direction, place, soft, depth = (each(self.shade[:, k]) for k in range(4))
        edge = (x * np.cos(direction) + y * np.sin(direction) - place) / soft
        lit = 1 + each(self.light[:, 0]) * x * 2 + each(self.light[:, 1]) * y * 2 - depth * np.clip(edge + 0.5, 0, 1)
        return np.asarray(scene * lit[..., None], dtype=np.float32)


def _cover(distance: Floats, pixels: Floats) -> Floats:
    return np.clip(distance * pixels + 0.5, 0, 1)


def _contrasting(digit: Floats, scene: Floats) -> Floats:
    """Return the digit's colour, moved in brightness to its drawn contrast with what lies behind the window's middle."""
    behind = scene[:, SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4].mean(axis=(1, 2))
    colour, contrast = digit[:, :3], digit[:, 3]
    difference = (colour - behind).mean(axis=1)
    sign = np.where(difference >= 0, 1.0, -1.0)
    room = np.where(sign > 0, 250 - behind.mean(axis=1), behind.mean(axis=1) - 8)
    sign = np.where(room < np.minimum(contrast, 60), -sign, sign)
    wanted = sign * contrast
    return np.asarray(np.clip(colour + (wanted - difference)[:, None], 4, 252), dtype=np.float32)
