"""Where a map is high, and the connected components of such pixels, as lists of pixels."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.compiled import compiled

Ints = NDArray[np.int32]


def plane(values: Any, name: str, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Return a map (H, W) as an array of float16 or float32, from an array or from a tensor on any device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):
            values = values.float()
    found = np.asarray(cast(ArrayLike, values))
    if found.ndim != 2 or 0 in found.shape or (shape is not None and found.shape != shape):
        raise DataError(f"the map {name} has shape {found.shape}: it must be {shape or '(rows, columns)'}")
    if found.dtype not in (np.float16, np.float32):
        if found.dtype.kind not in "fiub":
            raise DataError(f"the map {name} is of {found.dtype}: it must hold numbers")
        found = found.astype(np.float32)
    return found


def above(values: NDArray[Any], threshold: float, name: str) -> NDArray[np.bool_]:
    """Return where a map from :func:`plane` exceeds *threshold*, 0 < threshold < 1; nothing that is no number does.

    Halves are compared by their bits, which ascend with the value where it is not negative: quicker than as floats. The
    threshold is rounded to float32 for both types, so both give the same answer.
    Raises :class:`~paribus.errors.ConfigError` for another threshold, called *name*.
    """
    if not (isinstance(threshold, int | float | np.number) and 0 < threshold < 1):
        raise ConfigError(f"{name} is {threshold}: it must be more than 0 and less than 1")
    limit = np.float32(threshold)
    found = np.empty(values.shape, np.bool_)
    if values.dtype != np.float16:
        np.greater(values, limit, out=found)
        return found
    half = np.float16(limit)
    bits = int(half.view(np.int16)) - int(np.float32(half) > limit)
    ordered = np.ascontiguousarray(values).view(np.int16)
    np.greater(ordered, np.int16(bits), out=found)
    found &= ordered <= np.int16(0x7C00)  # infinity: what is above is no number
    return found


@compiled
def components(where: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Ints]:
    """Return the 8-connected components of the pixels that are set in *where* (H, W).

    They come as the places of their pixels in the flattened map, and where each component begins in these. Runs of
    pixels in a row are joined with those that they touch in the row above; components come in the order of their first
    pixel, their pixels row by row.
    """
    rows, columns = where.shape
    words = columns // 8 + 1  # the last one ends with a pixel that is in no component
    mask = np.zeros(8 * words, np.uint8)
    eights = mask.view(np.uint64)
    runs = np.empty((256, 4), np.int32)  # row, first column, column after the last, a run of the same component
    count = over = 0
    for y in range(rows):
        for x in range(columns):
            mask[x] = where[y, x]
        here = count
        x = 0
        while True:
            if x & 7 == 0:
                word = x >> 3
                while word < words and eights[word] == 0:
                    word += 1
                x = word << 3
                if word == words:
                    break
            if mask[x] == 0:
                x += 1
                continue
            begin = x
            while mask[x]:
                x += 1
            if count == len(runs):
                more = np.empty((2 * count, 4), np.int32)
                more[:count] = runs
                runs = more
            runs[count, 0], runs[count, 1], runs[count, 2], runs[count, 3] = y, begin, x, count
            while over < here and runs[over, 2] < begin:
                over += 1
            touching = over
            while touching < here and runs[touching, 1] <= x:
                _join(runs, touching, count)
                touching += 1
            count += 1
        over = here
    name = np.empty(count, np.int32)
    found = 0
    for k in range(count):
        first = _first(runs, k)
        if first == k:
            name[k] = found
            found += 1
        else:
            name[k] = name[first]
    begins = np.zeros(found + 1, np.int32)
    for k in range(count):
        begins[name[k] + 1] += runs[k, 2] - runs[k, 1]
    for k in range(found):
        begins[k + 1] += begins[k]
    at = begins[:found].copy()
    places = np.empty(begins[found], np.int64)
    for k in range(count):
        place = at[name[k]]
        for x in range(runs[k, 1], runs[k, 2]):
            places[place] = runs[k, 0] * np.int64(columns) + x
            place += 1
        at[name[k]] = place
    return places, begins


@compiled
def _first(runs: Ints, k: int) -> int:
    """Return the first run of the component of run *k*."""
    while runs[k, 3] != k:
        runs[k, 3] = runs[runs[k, 3], 3]
        k = runs[k, 3]
    return k


@compiled
def _join(runs: Ints, a: int, b: int) -> None:
    a, b = _first(runs, a), _first(runs, b)
    runs[max(a, b), 3] = min(a, b)
