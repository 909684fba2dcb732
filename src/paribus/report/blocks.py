"""A picture in a terminal of true colours: two pixels a letter, one above the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.console import Console, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

COLUMNS = 32
"""How wide a picture is drawn at most, in letters."""
LEAST_ROWS = 4
"""A picture of fewer rows shows nothing, and is left out."""


def can_show(console: Console) -> bool:
    """Whether *console* is a terminal that shows true colours and half blocks."""
    drawn = console.encoding.startswith("utf") and not console.legacy_windows
    return console.is_terminal and console.color_system == "truecolor" and drawn


def side_by_side(pictures: Mapping[str, NDArray[np.uint8]], *, width: int, height: int) -> RenderableType | None:
    """Return *pictures*, caption -> (H, W, 3) uint8, in one row of *width* letters and *height* lines at most.

    The last ones are left out where there is no room for them; ``None`` where there is none for any.
    """
    rows = height - 1
    count = min(len(pictures), (width + 1) // (COLUMNS // 2 + 1))
    if rows < LEAST_ROWS or count < 1:
        return None
    columns = min(COLUMNS, (width + 1) // count - 1)
    grid = Table.grid(padding=(0, 1, 0, 0))
    for _ in range(count):
        grid.add_column(max_width=columns, overflow="ellipsis", no_wrap=True)
    shown = list(pictures.items())[:count]
    grid.add_row(*(half_blocks(pixels, columns=columns, rows=rows) for _, pixels in shown))
    grid.add_row(*(Text(caption, "dim") for caption, _ in shown))
    return grid


def half_blocks(pixels: NDArray[np.uint8], *, columns: int, rows: int) -> Text:
    """Return *pixels*, (H, W, 3), as letters: at most *columns* by *rows*, never enlarged."""
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = min(1.0, columns / width, 2 * rows / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    text = Text(no_wrap=True)
    for row in range(0, len(small), 2):
        if row:
            text.append("\n")
        for column, upper in enumerate(small[row]):
            lower = Color.from_rgb(*map(int, small[row + 1, column])) if row + 1 < len(small) else None
            text.append("▀", Style(color=Color.from_rgb(*map(int, upper)), bgcolor=lower))
    return text
