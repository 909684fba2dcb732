"""Groups of texts as people lay them out: single words, stacked lines, round badges, lines along parallel arcs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.curve import Curve, Kind, arc, draw_curve, line
from paribus.data.curved_text.faces import level_for, set_strip
from paribus.data.curved_text.setting import Setting
from paribus.data.curved_text.style import Style
from paribus.data.curved_text.words import draw_line, draw_word
from paribus.data.split import Split

Doubles = NDArray[np.float64]
IDENTITY = np.eye(3)
SPARE = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Texts of one look in one plane."""

    settings: tuple[Setting, ...]
    plate: Doubles | None
    """(n, 2) the outline of the plate behind them, in the plane."""
    round: bool
    """Whether its plane should not be stretched or turned much: a badge or a stack of lines."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Set:
    """A strip that waits for its curve."""

    text: str
    strip: NDArray[np.uint8]
    rim: NDArray[np.uint8] | None
    scale: float
    em: float
    top: float
    """Top of the ink below the base line, in plane units."""

    @property
    def length(self) -> float:
        return float((self.strip.shape[1] - 2 * SPARE) * self.scale)

    @property
    def height(self) -> float:
        return float((self.strip.shape[0] - 2 * SPARE) * self.scale)

    def on(self, curve: Curve, plane: Doubles = IDENTITY) -> Setting:
        return Setting(
            text=self.text,
            strip=self.strip,
            rim=self.rim,
            pad=SPARE,
            scale=self.scale,
            em=self.em,
            curve=curve,
            plane=plane,
        )


def _set(text: str, em: float, style: Style, random: np.random.Generator) -> _Set:
    level = level_for(em)
    hop = random.normal(0, style.hop, len(text)) if style.hop else None
    ink, top = set_strip(style.face, level, text, style.spacing, hop)
    around = round(style.outline * level)
    strip = cv2.copyMakeBorder(ink, *(around + SPARE,) * 4, cv2.BORDER_CONSTANT, value=0)
    rim = None
    if around:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * around + 1, 2 * around + 1))
        rim = np.asarray(cv2.dilate(strip, kernel), dtype=np.uint8)
    scale = em / level
    return _Set(text=text, strip=np.asarray(strip), rim=rim, scale=scale, em=em, top=(top - around) * scale)


def single(split: Split, em: float, room: float, style: Style, random: np.random.Generator) -> Group:
    """Return one word on a straight line, or one word or short line of words on a curve."""
    draw = random.random()
    kind: Kind = "line" if draw < 0.30 else "arc" if draw < 0.66 else "wave" if draw < 0.84 else "free"
    longest = int(np.clip(room / (0.6 * em), 3, 25))
    if kind == "line" or random.random() < 0.55:
        text = draw_word(split, random, min(longest, 14))
    else:
        text = draw_line(split, int(random.integers(2, 5)), random, longest)
    if kind != "line" and len(text) < 4:
        kind = "arc" if len(text) == 3 else "line"
    one = _set(text, em, style, random)
    setting = one.on(draw_curve(kind, one.length, one.height, random))
    return Group(settings=(setting,), plate=_plate([setting], style, em), round=False)


def stack(split: Split, em: float, room: float, style: Style, random: np.random.Generator) -> Group:
    """Return two to five straight lines, one below the other; every word is an instance of its own."""
    count = int(random.integers(2, 6))
    align, pitch = int(random.integers(3)), float(random.uniform(1.12, 1.7))
    gap = float(random.uniform(0.34, 0.6)) + max(style.spacing, 0)
    settings = []
    base = 0.0
    for number in range(count):
        size = em * (float(random.uniform(0.7, 1.6)) if random.random() < 0.3 else 1.0)
        base += size * (pitch + 2 * style.outline) if number else 0.0
        row: list[tuple[float, _Set]] = []
        width = 0.0
        for _ in range(int(random.integers(1, 4))):
            word = _set(draw_word(split, random, 11), size, style, random)
            if row and width + word.length > room:
                break
            row.append((width, word))
            width += word.length + gap * size
        width -= gap * size
        left = (0.0, -width / 2, -width)[align]
        for start, word in row:
            middle = (left + start + word.length / 2, base + word.top + word.height / 2)
            settings.append(word.on(line(word.length), _moved(*middle)))
    return Group(settings=tuple(settings), plate=_plate(settings, style, em), round=True)


def badge(split: Split, em: float, room: float, style: Style, random: np.random.Generator) -> Group:
    """Return a line around the top of a circle, mostly one around its bottom, and often a word in its middle."""
    longest = int(np.clip(room / (0.5 * em), 5, 25))
    upper = _set(draw_line(split, int(random.integers(1, 5)), random, longest), em, style, random)
    lower = None
    if random.random() < 0.7:
        lower = _set(draw_line(split, int(random.integers(1, 4)), random, longest), em, style, random)
    length = max(upper.length, lower.length if lower else 0.0)
    radius = max(length / float(random.uniform(1.5, 2.75)), 1.5 * upper.height)
    settings = [upper.on(arc(upper.length, radius), _moved(0, -radius))]
    if lower:
        settings.append(lower.on(arc(lower.length, -radius), _moved(0, radius)))
    inner = radius - 1.1 * upper.height
    if inner > 1.2 * em and random.random() < 0.7:
        word = _set(draw_word(split, random, 9), em * float(random.uniform(0.9, 1.6)), style, random)
        if np.hypot(word.length, word.height) / 2 < inner:
            settings.append(word.on(line(word.length)))
    plate = None
    if style.plate != "none":
        turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        plate = (radius + upper.height / 2 + style.space * em) * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    return Group(settings=tuple(settings), plate=plate, round=True)


def parallel(split: Split, em: float, room: float, style: Style, random: np.random.Generator) -> Group:
    """Return two or three lines on arcs with a common centre, below them or above them."""
    longest = int(np.clip(room / (0.6 * em), 4, 22))
    sets = [
        _set(draw_line(split, int(random.integers(1, 4)), random, longest), em, style, random)
        for _ in range(int(random.integers(2, 4)))
    ]
    pitch = max(one.height for one in sets) * float(random.uniform(1.25, 1.6))
    length = max(one.length for one in sets)
    outermost = max(length / float(random.uniform(0.6, 1.8)), (len(sets) + 1) * pitch)
    sign = -1.0 if random.random() < 0.35 else 1.0
    settings = []
    for index, one in enumerate(sets):
        radius = outermost - index * pitch
        if one.length / radius < 2.9:
            settings.append(one.on(arc(one.length, sign * radius), _moved(0, sign * index * pitch)))
    return Group(settings=tuple(settings), plate=None, round=True)


def _moved(x: float, y: float) -> Doubles:
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def _plate(settings: list[Setting], style: Style, em: float) -> Doubles | None:
    if style.plate == "none":
        return None
    space = style.space * em
    if style.plate == "band" and len(settings) == 1:
        top, bottom = settings[0].band(IDENTITY, space * 1.4, min(space, settings[0].height * 0.35))
        return np.concatenate([top, bottom[::-1]])
    ends = np.concatenate([np.concatenate(setting.band(IDENTITY, 0, 0)) for setting in settings])
    low: Doubles = ends.min(axis=0) - space
    high: Doubles = ends.max(axis=0) + space
    if style.plate == "disc":
        turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        return np.asarray((low + high) / 2 + (high - low) * 0.64 * np.stack([np.cos(turn), np.sin(turn)], axis=-1))
    return np.array([low, (high[0], low[1]), high, (low[0], high[1])])
