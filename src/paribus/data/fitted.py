"""A user's own picture at a size that a network can take."""

from __future__ import annotations

import math
from pathlib import Path

from paribus.data.pictures import Picture, resized, stretched
from paribus.errors import DataError


def fitted(picture: Picture, path: Path, asked: int | None, *, usual: int, smallest: int, option: str) -> Picture:
    """Return *picture* with its longer side at *asked* pixels; one that is smaller stays as it is.

    Where nothing was asked for it is *usual*, or more where the shorter side needs it. A picture with a shorter side of
    fewer pixels than will do is enlarged until it has as many.

    Args:
        picture: (H, W, 3).
        path: where it is from, for the message.
        asked: the longer side, or None.
        usual: the longer side where nothing is asked for.
        smallest: the shortest side that will do.
        option: what the user asks with.

    Raises:
        DataError: at the size asked for the shorter side would have too few pixels; it says which *option* would do.
    """
    height, width = picture.shape[:2]
    shorter, longer = sorted((height, width))
    least = math.ceil(smallest * longer / shorter)
    if shorter < smallest and (asked is None or asked >= least):
        return stretched(picture, (max(smallest, round(width * smallest / shorter)),
                                   max(smallest, round(height * smallest / shorter))))  # fmt: skip
    if asked is None:
        return resized(picture, longest=max(usual, least))
    made = resized(picture, longest=asked)
    if min(made.shape[:2]) < smallest:
        told = f"{made.shape[1]}x{made.shape[0]} pixels at this size"
        raise DataError(f"{path}: {told}; at least {smallest} a side are needed, and {option} {least} would do")
    return made
