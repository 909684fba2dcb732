"""How many crops of street_digits are made in a second, on one core and on two (n, spread and machine are printed).

python bench/street_digits.py [SHARDS]
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

from paribus.data.street_digits.cache import SHARD
from paribus.data.street_digits.glyphs import glyphs
from paribus.data.street_digits.grounds import textures
from paribus.data.street_digits.labels import VERSION, split_labels
from paribus.data.street_digits.scene import make_shard


def rates(shards: range) -> list[tuple[float, float]]:
    """Return the crops a second of each shard, by the clock and by the processor's time."""
    cv2.setNumThreads(1)
    glyphs("train"), textures("train")
    labels = split_labels("train")
    found = []
    for shard in shards:
        start, busy = time.perf_counter(), time.process_time()
        make_shard("train", shard, labels[shard * SHARD : (shard + 1) * SHARD])
        found.append((SHARD / (time.perf_counter() - start), SHARD / (time.process_time() - busy)))
    return found


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    one = rates(range(count))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        two = pool.map(rates, [range(count), range(count, 2 * count)])
    clock, processor = zip(*one, strict=True)
    both = [first[0] + second[0] for first, second in zip(*two, strict=True)]
    for name, values in (("one process", clock), ("two processes", both), ("a processor-second", processor)):
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        print(
            f"{name:18}: {statistics.mean(values):6,.0f} crops/s, sd {spread:,.0f}, n = {len(values)} shards of {SHARD}"
        )
    print(f"street_digits version {VERSION}; {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}, numpy {np.__version__}, "
          f"OpenCV {cv2.__version__}; {time.strftime('%Y-%m-%d')}")  # fmt: skip


if __name__ == "__main__":
    main()
