"""A picture of the user's at the size at which a verb works on it."""

from __future__ import annotations

from pathlib import Path

from paribus.cli.terminal import say
from paribus.data.fitted import fitted
from paribus.data.pictures import Picture


def fit_picture(picture: Picture, path: Path, asked: int | None, *, usual: int, smallest: int, option: str) -> Picture:
    """Return *picture* as :func:`~paribus.data.fitted.fitted` does, and say where it has been enlarged."""
    made = fitted(picture, path, asked, usual=usual, smallest=smallest, option=option)
    (height, width), (tall, wide) = picture.shape[:2], made.shape[:2]
    if wide > width:
        say(f"note: {path}: {width}x{height} pixels, enlarged to {wide}x{tall}; at least {smallest} a side are needed")
    return made
