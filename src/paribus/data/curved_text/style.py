"""How a text looks: face, outline, colour, shadow, gradient, wear, and the plate behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.faces import faces
from paribus.data.split import Split

Doubles = NDArray[np.float64]

VIVID = np.array(
    [
        (250, 250, 246), (245, 240, 222), (255, 255, 255), (12, 12, 14), (28, 26, 30), (40, 40, 44), (200, 30, 36),
        (226, 60, 40), (240, 120, 24), (250, 196, 30), (248, 226, 80), (34, 120, 60), (20, 84, 52), (120, 176, 60),
        (24, 70, 150), (40, 120, 200), (110, 180, 226), (16, 32, 84), (92, 44, 120), (220, 80, 140), (120, 62, 34),
        (84, 52, 34), (196, 160, 104), (128, 128, 132), (184, 186, 190), (20, 140, 140), (150, 30, 60),
    ],
    dtype=np.float64,
)  # fmt: skip
"""Colours of signs and posters: whites and blacks, then reds, yellows, greens, blues, browns and greys."""
LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, eq=False, kw_only=True)
class Style:
    """One look, shared by the texts of a group; lengths are in ems."""

    face: str
    spacing: float
    hop: float
    """Standard deviation of the letters' movement up and down."""
    outline: float
    """Width of the outline; 0: none."""
    hollow: bool
    """Whether only the outline is painted."""
    opacity: float
    shadow: float
    """Darkness of the shadow; 0: none."""
    shadow_x: float
    shadow_y: float
    shadow_softness: float
    glow: bool
    """Whether the shadow is light instead of dark."""
    gradient: float
    """Change of brightness from the top to the bottom of the letters, 0..255."""
    wear: float
    """Share of the paint that has come off."""
    contrast: float
    """Difference in brightness between text and ground, 0..255."""
    faint: bool
    plate: str
    """``none``, ``band`` along the curve, ``box`` or ``disc``."""
    plate_opacity: float
    border: float
    """Width of the plate's border; 0: none."""
    space: float
    """Space between text and plate's edge."""


def draw_style(split: Split, random: np.random.Generator) -> Style:
    """Draw a look in a face of a part."""

    def some(share: float, low: float, high: float) -> float:
        value = float(random.uniform(low, high))
        return value if random.random() < share else 0.0

    listed = faces(split)
    outline = some(0.2, 0.03, 0.10)
    faint = random.random() < 0.15
    plate = random.random()
    return Style(
        face=listed[int(random.integers(len(listed)))],
        spacing=float(np.clip(random.normal(0.02, 0.05), -0.03, 0.3)) + some(0.08, 0.1, 0.4),
        hop=some(0.08, 0.02, 0.06),
        outline=outline,
        hollow=outline > 0.04 and random.random() < 0.15,
        opacity=1.0 - some(0.2, 0.1, 0.4),
        shadow=some(0.28, 0.3, 0.85),
        shadow_x=float(random.uniform(-0.09, 0.09)),
        shadow_y=float(random.uniform(-0.03, 0.10)),
        shadow_softness=float(random.uniform(0.01, 0.12)),
        glow=random.random() < 0.2,
        gradient=some(0.25, -90, 90),
        wear=some(0.1, 0.1, 0.4),
        contrast=float(random.uniform(32, 55) if faint else random.uniform(75, 190)),
        faint=faint,
        plate="none" if plate < 0.6 else "band" if plate < 0.8 else "box" if plate < 0.94 else "disc",
        plate_opacity=1.0 - some(0.3, 0.1, 0.55),
        border=some(0.4, 0.03, 0.1),
        space=float(random.uniform(0.12, 0.5)),
    )


def draw_colour(random: np.random.Generator) -> Doubles:
    """Draw a colour (3,) of a sign."""
    base = VIVID[int(random.integers(len(VIVID)))]
    return np.asarray(np.clip(base * random.uniform(0.85, 1.1) + random.normal(0, 10, 3), 0, 255))


def contrasting(colour: Doubles, behind: float, contrast: float) -> Doubles:
    """Move a colour (3,) in brightness until it differs by *contrast* from a ground of brightness *behind*."""
    level = float(colour @ LUMA)
    if abs(level - behind) >= contrast:
        return colour
    lighter = level >= behind
    if behind + contrast > 250:
        lighter = False
    elif behind - contrast < 5:
        lighter = True
    wanted = float(np.clip(behind + contrast if lighter else behind - contrast, 3, 252))
    if wanted < level:
        return colour * (wanted / max(level, 1.0))
    return 255 - (255 - colour) * ((255 - wanted) / max(255 - level, 1.0))
