"""At what size the detector looks at a picture."""

from __future__ import annotations

import math

SIZE = 1280
"""The longest side, in pixels, at which a picture is looked at; a larger one is made smaller."""
MULTIPLE = 32
"""What both sides are padded to: the network halves its resolution five times."""
STRIP = 4
"""A picture longer than so many times its shorter side is a strip."""


def seen_at(width: int, height: int, size: int) -> tuple[int, int]:
    """Return the width and height at which a picture is looked at: it shrinks, and never grows.

    Its longer side becomes at most *size*. A strip is looked at as large as if it were 4 times its shorter side long,
    or its text would vanish; but what the network gets, both sides padded to multiples of 32, never has more pixels
    than a padded square of *size*.
    """
    longer, shorter = max(width, height), min(width, height)
    most = padded_length(size) ** 2
    scale = min(1.0, size / min(longer, STRIP * shorter))
    scale = max(  # the largest of what each height after padding leaves room for
        min(scale, rows / shorter, most // rows // MULTIPLE * MULTIPLE / longer)
        for rows in range(MULTIPLE, padded_length(shorter * scale) + 1, MULTIPLE)
    )
    return max(1, round(width * scale)), max(1, round(height * scale))


def padded_length(length: float) -> int:
    """Return the least multiple of 32 that is not below *length*."""
    return math.ceil(length / MULTIPLE) * MULTIPLE
