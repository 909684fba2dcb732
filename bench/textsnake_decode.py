"""How long a text detector's maps take to decode, and how near the outlines come to the true ones.

OMP_NUM_THREADS=1 taskset -c 0 python bench/textsnake_decode.py [TIMES]
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from typing import Any

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.labels import encode

SIDE = 512
Maps = list[NDArray[Any]]


def arcs(count: int) -> list[NDArray[np.float64]]:
    """Return outlines of curved text, 24 pixels high, 12 points a side, in two columns."""
    angles = np.linspace(-2.7, -0.4, 12)[:, None]
    direction = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    outline = np.concatenate([92 * direction, (68 * direction)[::-1]])
    rows = (count + 1) // 2
    return [outline + np.array([130 + 250 * (k % 2), 110 + (SIDE - 130) / rows * (k // 2)]) for k in range(count)]


def lying(length: int, y: float, height: float) -> NDArray[np.float64]:
    """Return the outline of text that runs along all of an image of this length, up and down by 8 pixels round y."""
    x = np.linspace(8, length - 8, max(2, length // 16))
    middle = y + 8 * np.sin(x / 80)
    above, below = np.stack([x, middle - height / 2], axis=1), np.stack([x, middle + height / 2], axis=1)
    return np.concatenate([above, below[::-1]])


def exact(polygons: list[NDArray[np.float64]], shape: tuple[int, int]) -> Maps:
    """Return the maps of these instances without noise."""
    labels = encode(polygons, shape)
    found = (labels.text, labels.centre, labels.radius, labels.cos, labels.sin)
    return [values.astype(np.float32) for values in found]


def maps(polygons: list[NDArray[np.float64]], seed: int) -> Maps:
    """Return the maps of these instances with noise of 0.05 (the radius: half a pixel) on all five."""
    clean = exact(polygons, (SIDE, SIDE))
    draws = np.random.default_rng(seed).normal(size=(5, SIDE, SIDE)) * np.array([1, 1, 10, 1, 1])[:, None, None] / 20
    found = [(values + draw).astype(np.float32) for values, draw in zip(clean, draws, strict=True)]
    return [values.clip(0, 1) for values in found[:2]] + found[2:]


def overlap(polygons: list[NDArray[np.float64]], found: Maps) -> float:
    """Return the mean over true outlines of the best intersection over union."""
    regions = [shapely.Polygon(instance.polygon) for instance in decode(*found)]
    best = []
    for true in map(shapely.Polygon, polygons):
        best.append(max((true.intersection(one).area / true.union(one).area for one in regions), default=0.0))
    return statistics.mean(best)


def timed(found: Maps, times: int) -> str:
    """Return the milliseconds of a decoding: median and quartiles, and the processor's time."""
    decode(*found)
    clock, busy = [], []
    for _ in range(times):
        start, begun = time.perf_counter(), time.thread_time()
        decode(*found)
        clock.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.thread_time() - begun))
    low, middle, high = statistics.quantiles(clock, n=4)
    return f"{middle:6.2f} ms (quartiles {low:.2f} to {high:.2f}; processor {statistics.median(busy):.2f}), n = {times}"


def main() -> None:
    """Measure and print."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    polygons = arcs(8)
    for kind in (np.float32, np.float16):
        found = [values.astype(kind) for values in maps(polygons, 0)]
        print(f"{SIDE} x {SIDE}, 8 instances, {kind.__name__:8}: {timed(found, times)}")
    seeds = range(10)
    scores = [overlap(polygons, maps(polygons, seed)) for seed in seeds]
    print(f"mean IoU {statistics.mean(scores):.3f}, sd {statistics.stdev(scores):.4f}, n = {len(seeds)} draws of noise")
    draws = np.random.default_rng(0).random((5, SIDE, SIDE)).astype(np.float32)
    for scale in (1, 10):
        noise = [draws[0], draws[1], draws[2] * scale, draws[3] * 2 - 1, draws[4] * 2 - 1]
        print(f"nothing but noise, radii up to {scale:2}      : {timed(noise, max(times // 10, 3))}")
    for length in (256, 512, 1024, 2048):
        found = exact([lying(length, 32, 6)], (64, length))
        print(f" 64 x {length:4}, 1 line,   6 px high : {timed(found, times)}")
    for height in (6, 8, 12, 16, 24):
        found = exact([lying(SIDE, 40 + 60 * k, height) for k in range(8)], (SIDE, SIDE))
        print(f"{SIDE} x {SIDE}, 8 lines, {height:2} px high : {timed(found, times)}")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
          f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}; "
          f"{time.strftime('%Y-%m-%d')}")  # fmt: skip


if __name__ == "__main__":
    main()
