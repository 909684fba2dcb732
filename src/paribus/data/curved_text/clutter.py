"""Things that are no text: lines, grids, fences, rings, leaves and shapes behind it, and what hides a part of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.style import draw_colour

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]
AA = cv2.LINE_AA


def draw_clutter(image: Bytes, random: np.random.Generator) -> None:
    """Draw a few things that are no text into an image (side, side, 3)."""
    side = image.shape[0]
    share = (side / 512) ** 2
    for _ in range(int(random.poisson(3.0 * (0.5 + 0.5 * share)))):
        draw = KINDS[int(random.integers(len(KINDS)))]
        draw(image, random.uniform(0, side, 2), float(np.exp(random.uniform(2.7, 4.9))), random)


def _points(places: Doubles) -> NDArray[np.int32]:
    return np.round(places * 16).astype(np.int32)


def _colour(random: np.random.Generator) -> list[float]:
    return [float(value) for value in draw_colour(random)]


def _turn(angle: float) -> Doubles:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _lines(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Parallel lines: a fence, a shutter, stripes, a bar code, a zebra crossing."""
    count = int(random.integers(3, 16))
    pitch, long = size / count * random.uniform(0.8, 2.0), size * random.uniform(0.3, 1.6)
    offsets = (np.arange(count) - count / 2) * pitch
    if random.random() < 0.25:
        offsets = offsets + random.normal(0, 0.25 * pitch, count)
    turn = _turn(random.choice([0.0, np.pi / 2]) + random.normal(0, 0.2))
    half = np.full(count, long / 2)
    ends = np.stack([np.stack([offsets, -half], 1), np.stack([offsets, half], 1)], 1)
    width = int(np.clip(pitch * random.uniform(0.1, 0.6), 1, 14))
    cv2.polylines(image, list(_points(ends @ turn.T + centre)), False, _colour(random), width, AA, 4)


def _grid(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """A lattice, a window, a chain-link fence."""
    count = int(random.integers(2, 8))
    reach = size * random.uniform(0.5, 1.0, 2)
    place = np.linspace(-1, 1, count + 1)
    one = np.ones(count + 1)
    lines = np.concatenate(
        [np.stack([np.stack([place, -one], 1), np.stack([place, one], 1)], 1),
         np.stack([np.stack([-one, place], 1), np.stack([one, place], 1)], 1)]
    )  # fmt: skip
    turn = _turn(np.pi / 4 if random.random() < 0.25 else random.normal(0, 0.1))
    width = int(random.integers(1, 6))
    cv2.polylines(image, list(_points((lines * reach) @ turn.T + centre)), False, _colour(random), width, AA, 4)


def _rings(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Circles and arcs: wheels, plates, bubbles, tyre marks."""
    middle = tuple(int(value) for value in _points(centre))
    around = 360.0 if random.random() < 0.5 else random.uniform(60, 300)
    start = random.uniform(0, 360)
    squash = random.uniform(0.6, 1.0) if random.random() < 0.5 else 1.0
    for _ in range(int(random.integers(1, 4))):
        radius = size * random.uniform(0.2, 0.8)
        axes = (int(radius * 16), int(radius * squash * 16))
        width = -1 if around == 360 and random.random() < 0.3 else int(random.integers(1, 9))
        cv2.ellipse(image, middle, axes, random.uniform(0, 30), start, start + around, _colour(random), width, AA, 4)


def _leaves(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Leaves of one plant."""
    base = draw_colour(random) if random.random() < 0.4 else np.array([50.0, 110, 40]) + random.normal(0, 25, 3)
    place = np.linspace(0, np.pi, 7)
    shape = np.stack([np.cos(place), 0.35 * np.sin(place)], 1)
    leaf = np.concatenate([shape, shape[::-1] * (1, -1)])
    for _ in range(int(random.integers(3, 14))):
        angle, long = random.uniform(0, 2 * np.pi), size * random.uniform(0.12, 0.35)
        where = centre + random.normal(0, 0.4 * size, 2)
        colour = np.clip(base * random.uniform(0.6, 1.3), 0, 255).tolist()
        cv2.fillPoly(image, [_points(leaf * long @ _turn(angle).T + where)], colour, AA, 4)


def _shapes(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Polygons, stars and arrows, alone or in a row: ornaments, road markings, icons."""
    kind = random.random()
    if kind < 0.4:
        corners = int(random.integers(3, 9))
        angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        shape = np.stack([np.cos(angle), np.sin(angle)], 1)
    elif kind < 0.7:
        tips = int(random.integers(4, 9))
        angle = np.linspace(0, 2 * np.pi, 2 * tips, endpoint=False)
        reach = np.where(np.arange(2 * tips) % 2, random.uniform(0.35, 0.7), 1.0)
        shape = reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    else:
        shape = np.array([[-1, -0.25], [0.2, -0.25], [0.2, -0.7], [1, 0], [0.2, 0.7], [0.2, 0.25], [-1, 0.25]])
    count = 1 if random.random() < 0.5 else int(random.integers(2, 8))
    radius = size * (0.5 if count == 1 else random.uniform(0.1, 0.2))
    turn, along = _turn(random.uniform(0, 2 * np.pi)), _turn(random.normal(0, 0.4))[:, 0]
    colour, width = _colour(random), int(random.integers(-3, 5))
    for index in range(count):
        points = _points(shape * radius @ turn.T + centre + along * 2.6 * radius * index)
        if width <= 0:
            cv2.fillPoly(image, [points], colour, AA, 4)
        else:
            cv2.polylines(image, [points], True, colour, width, AA, 4)


def _blobs(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Round irregular patches: stones, stains, fruit."""
    base = draw_colour(random)
    for _ in range(int(random.integers(1, 8))):
        angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        radius = size * random.uniform(0.06, 0.3) * (1 + 0.25 * random.normal(0, 1, 14))
        shape = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        where = centre + random.normal(0, 0.5 * size, 2)
        cv2.fillPoly(image, [_points(shape + where)], np.clip(base * random.uniform(0.6, 1.3), 0, 255).tolist(), AA, 4)


def _curves(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Free and wavy lines: wires, cracks, ornaments, ribbons."""
    place = np.linspace(-1, 1, 40)
    across = 0.3 * np.sin(place * random.uniform(2, 12) + random.uniform(0, 6)) * random.uniform(0.1, 1.0)
    across = across + np.cumsum(random.normal(0, 0.02, 40))
    line = np.stack([place, across], 1) * size * random.uniform(0.5, 1.6) @ _turn(random.uniform(0, np.pi)).T + centre
    colour = _colour(random)
    for index in range(int(random.integers(1, 4))):
        width = int(np.exp(random.uniform(0, 2.8)))
        cv2.polylines(image, [_points(line + index * random.uniform(4, 14))], False, colour, width, AA, 4)


def _marks(image: Bytes, centre: Doubles, size: float, random: np.random.Generator) -> None:
    """Rows of small blocks or strokes, about as large as letters: windows, teeth, keys, bricks, stitches."""
    rows, columns = int(random.integers(1, 6)), int(random.integers(3, 12))
    pitch = size / columns * random.uniform(0.8, 1.6)
    block = pitch * random.uniform(0.2, 0.45, 2) * np.array([1.0, random.uniform(0.8, 2.0)])
    turn = _turn(random.normal(0, 0.15))
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * block
    colour = _colour(random)
    shift = random.uniform(0, 0.5)
    points = [
        _points((corners + np.array([(column + shift * (row % 2)) * pitch, row * block[1] * 2.6])) @ turn.T + centre)
        for row in range(rows)
        for column in range(columns)
    ]
    cv2.fillPoly(image, points, colour, AA, 4)


KINDS = (_lines, _grid, _rings, _leaves, _shapes, _blobs, _curves, _marks)


def draw_occluder(side: int, polygon: Doubles, random: np.random.Generator) -> Bytes:
    """Return the mask (side, side) of something that hides a part of the text in *polygon*."""
    mask = np.zeros((side, side), dtype=np.uint8)
    half = len(polygon) // 2
    top, bottom = polygon[:half], polygon[half:][::-1]
    height = float(np.hypot(*(top - bottom).T).mean())
    place = float(random.random()) * (half - 1)
    index = min(int(place), half - 2)
    along = place - index
    ends = [(1 - along) * line[index] + along * line[index + 1] for line in (top, bottom)]
    centre = ends[0] + random.uniform(0.1, 0.9) * (ends[1] - ends[0])
    kind = random.random()
    if kind < 0.45:  # a pole, a wire, a twig
        direction = _turn(random.uniform(0, np.pi))[:, 0] * side * 0.5
        width = int(np.clip(height * random.uniform(0.08, 0.5), 2, 40))
        bend = random.normal(0, 0.06, 2) * side
        line = np.stack([centre - direction, centre + 0.3 * bend, centre + direction + bend])
        cv2.polylines(mask, [_points(line)], False, 255, width, AA, 4)
    elif kind < 0.75:  # something in front: a leaf, a head, a stain
        angle = np.linspace(0, 2 * np.pi, 18, endpoint=False)
        radius = height * random.uniform(0.3, 1.1) * (1 + 0.18 * random.normal(0, 1, 18))
        shape = radius[:, None] * np.stack([np.cos(angle) * random.uniform(0.8, 2.2), np.sin(angle)], 1)
        cv2.fillPoly(mask, [_points(shape @ _turn(random.uniform(0, np.pi)).T + centre)], 255, AA, 4)
    else:  # several thin ones: a fence, branches
        count = int(random.integers(2, 7))
        direction = _turn(random.uniform(0, np.pi))
        for number in range(count):
            middle = centre + direction[:, 1] * height * 0.8 * (number - count / 2)
            line = np.stack([middle - direction[:, 0] * height * 2, middle + direction[:, 0] * height * 2])
            cv2.polylines(mask, [_points(line)], False, 255, int(np.clip(height * 0.1, 1, 8)), AA, 4)
    return mask
