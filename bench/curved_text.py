"""How many scenes of curved_text of 512x512 are made in a second, in one process and in two (n, spread and machine).

python bench/curved_text.py [SCENES] [SIDE]
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import sys
import time

import cv2
import numpy as np

from paribus.data.curved_text import VERSION, scene

BLOCK = 25
"""Scenes to a measurement."""
WARM = 200
"""Scenes made before, which fill the cache of letters: they are not counted."""


def rates(first: int, count: int, side: int) -> list[tuple[float, float, float]]:
    """Return the scenes a second of each block, by the clock and by the processor's time, and the texts in a scene."""
    cv2.setNumThreads(1)
    for index in range(first, first + WARM):
        scene("train", index, side=side)
    found = []
    for start in range(first + WARM, first + WARM + count, BLOCK):
        began, busy, texts = time.perf_counter(), time.process_time(), 0
        for index in range(start, start + BLOCK):
            texts += len(scene("train", index, side=side).instances)
        clock, processor = time.perf_counter() - began, time.process_time() - busy
        found.append((BLOCK / clock, BLOCK / processor, texts / BLOCK))
    return found


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 512
    one = rates(0, count, side)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        two = pool.starmap(rates, [(10_000, count, side), (20_000, count, side)])
    both = [first[0] + second[0] for first, second in zip(*two, strict=True)]
    clock, processor, texts = zip(*one, strict=True)
    for name, values in (("one process", clock), ("two processes", both), ("a processor-second", processor)):
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        mean = statistics.mean(values)
        print(f"{name:18}: {mean:5.1f} scenes/s, sd {spread:.1f}, n = {len(values)} blocks of {BLOCK}")
    print(
        f"{statistics.mean(texts):.1f} texts to a scene of {side}x{side}; curved_text version {VERSION}; "
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, numpy {np.__version__}, OpenCV {cv2.__version__}; "
        f"{time.strftime('%Y-%m-%d')}"
    )


if __name__ == "__main__":
    main()
