"""What text stands on: photographs, drawn surfaces, smooth colour fields, and several of them side by side.

No photograph serves two parts, and the drawn surfaces of each part come from a random stream of their own.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.style import draw_colour
from paribus.data.photographs import photograph
from paribus.data.split import Split
from paribus.data.street_digits.grounds import textures
from paribus.data.street_digits.paint import draw_colours

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]

PHOTOGRAPHS: dict[Split, tuple[str, ...]] = {
    "train": ("brick", "grass", "tissue", "china", "coffee", "cat", "motorcycle", "galaxies"),
    "validation": ("rocket", "flower", "moon"),
    "test": ("gravel", "camera", "retina"),
}
"""Photographs without writing in them, by part."""
WITHOUT_WRITING = {"motorcycle": ((0, 0, 320, 190), (500, 250, 741, 500))}
"""The parts (left, top, right, bottom) of a photograph that hold no writing, where others do."""


SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


@cache
def photographs(split: Split) -> tuple[Bytes, ...]:
    """Return the photographs of a part, at most 800 pixels long."""
    found = []
    for name in PHOTOGRAPHS[split]:
        whole = photograph(name)
        for left, top, right, bottom in WITHOUT_WRITING.get(name, ((0, 0, whole.shape[1], whole.shape[0]),)):
            picture = whole[top:bottom, left:right]
            scale = min(800 / max(picture.shape[:2]), 1.0)
            size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
            found.append(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
    return tuple(found)


@cache
def surfaces(split: Split) -> tuple[Bytes, ...]:
    """Return the drawn surfaces of a part, grey (256, 256), around 128 with a standard deviation of about 40."""
    drawn, _ = textures(split)
    return tuple(np.clip(128 + 40 * one[..., 0], 0, 255).astype(np.uint8) for one in drawn)


def draw_ground(split: Split, side: int, random: np.random.Generator) -> Bytes:
    """Return a ground (side, side, 3)."""
    ground = _sheet(split, side, side, random)
    if random.random() < 0.4:  # a second ground beyond an edge: a pavement, a shop front, a sky
        other = _sheet(split, side, side, random)
        mask = np.zeros((side, side), dtype=np.uint8)
        angle = random.normal(0, 0.12) + (np.pi / 2 if random.random() < 0.35 else 0.0)
        middle = side / 2 + random.uniform(-0.35, 0.35) * side * np.array([-np.sin(angle), np.cos(angle)])
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        far = 3.0 * side
        corners = middle + far * np.array([-along, along, along + across, -along + across])
        cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
        cv2.copyTo(other, mask, ground)
    for _ in range(int(random.choice([0, 0, 1, 2, 4]))):  # boards, doors, windows
        size = random.uniform(0.12, 0.6, 2) * side
        centre = random.uniform(0, side, 2)
        angle = np.deg2rad(random.normal(0, 4))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = centre + (SQUARE * size / 2 + random.normal(0, 3, (4, 2))) @ turn.T
        points = np.round(corners * 16).astype(np.int32)
        if random.random() < 0.5:
            cv2.fillPoly(ground, [points], draw_colour(random).tolist(), lineType=cv2.LINE_AA, shift=4)
        else:
            left, top = (int(value) for value in np.clip(np.floor(corners.min(axis=0)), 0, side - 2))
            right, bottom = (int(value) for value in np.clip(np.ceil(corners.max(axis=0)), 2, side))
            width, height = max(right - left, 2), max(bottom - top, 2)
            part = _sheet(split, height, width, random)
            mask = np.zeros((height, width), dtype=np.uint8)
            cv2.fillPoly(mask, [points - np.array([left, top]) * 16], 255, lineType=cv2.LINE_AA, shift=4)
            view = ground[top : top + height, left : left + width]
            cv2.copyTo(part[: view.shape[0], : view.shape[1]], mask[: view.shape[0], : view.shape[1]], view)
        if random.random() < 0.5:
            width = int(random.integers(1, 7))
            cv2.polylines(ground, [points], True, draw_colour(random).tolist(), width, cv2.LINE_AA, shift=4)
    return ground


def _sheet(split: Split, height: int, width: int, random: np.random.Generator) -> Bytes:
    kind = random.random()
    if kind < 0.42:
        return _photographed(split, height, width, random)
    if kind < 0.82:
        return _drawn(split, height, width, random)
    return _smooth(height, width, random)


def _crop(source: Bytes, height: int, width: int, zoom: float, turn: float, random: np.random.Generator) -> Bytes:
    """Return a piece of a picture, turned and enlarged, mirrored beyond its edges and by chance."""
    angle = np.deg2rad(turn)
    flip = -1.0 if random.random() < 0.5 else 1.0
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    centre = random.uniform(0.15, 0.85, 2) * (source.shape[1], source.shape[0])
    matrix = np.array([[cos * flip, -sin, 0.0], [sin * flip, cos, 0.0]])
    matrix[:, 2] = centre - matrix[:, :2] @ (width / 2, height / 2)
    return np.asarray(
        cv2.warpAffine(
            source, matrix, (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT_101,
        )
    )  # fmt: skip


def _photographed(split: Split, height: int, width: int, random: np.random.Generator) -> Bytes:
    sources = photographs(split)
    source = sources[int(random.integers(len(sources)))]
    zoom = float(np.exp(random.normal(0.25, 0.4)))
    piece = _crop(source, height, width, zoom, random.normal(0, 8), random)
    draw = random.random()
    if draw < 0.25:  # other colours
        grey = cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY)
        return _tinted(np.asarray(grey), random, 1.0)
    angle = random.uniform(0, 2 * np.pi) if draw < 0.38 else random.normal(0, 0.15)
    return np.asarray(cv2.transform(piece, _hue(angle, float(random.uniform(0.3, 1.3))) * random.uniform(0.7, 1.25)))


def _hue(angle: float, saturation: float) -> Doubles:
    """Return the matrix that turns colours around grey, and draws them together."""
    cos, sin = np.cos(angle), np.sin(angle)
    mean = np.full((3, 3), 1 / 3)
    cross = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return np.asarray(mean + saturation * (cos * (np.eye(3) - mean) + sin * cross))


def _drawn(split: Split, height: int, width: int, random: np.random.Generator) -> Bytes:
    sources = surfaces(split)
    source = sources[int(random.integers(len(sources)))]
    zoom = float(np.exp(random.normal(0.55, 0.5)))
    turn = random.normal(0, 3) if random.random() < 0.75 else random.uniform(0, 360)
    return _tinted(_crop(source, height, width, zoom, turn, random), random, float(random.uniform(0.15, 0.9)))


def _tinted(grey: Bytes, random: np.random.Generator, strength: float) -> Bytes:
    """Colour a grey picture along a line between two colours of sign and wall."""
    draw = draw_colour if random.random() < 0.3 else _wall_colour
    first, second = draw(random), draw(random)
    if random.random() < 0.5:  # shades of one colour
        second = first * random.uniform(0.15, 0.65)
        first = first + (255 - first) * random.uniform(0.0, 0.5)
    middle = (first + second) / 2
    place = (np.arange(256)[:, None] - 127.5) / 127.5
    table = np.clip(middle + strength * place * (first - second) / 2 * 1.2, 0, 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(grey, np.ascontiguousarray(table[:, None, :])))


def _wall_colour(random: np.random.Generator) -> Doubles:
    return np.asarray(np.clip(draw_colours(1, random)[0], 0, 255), dtype=np.float64)


def _smooth(height: int, width: int, random: np.random.Generator) -> Bytes:
    cells = int(random.integers(2, 6))
    base = draw_colour(random) if random.random() < 0.4 else _wall_colour(random)
    spread = random.uniform(0, 70)
    coarse = random.normal(0, 1, (cells, cells, 1)) + 0.3 * random.normal(0, 1, (cells, cells, 3))
    small = np.clip(base + spread * coarse, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
