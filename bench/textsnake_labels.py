"""How long the label maps of an image take: 512 x 512 pixels, 10 instances of curved text.

OMP_NUM_THREADS=1 taskset -c 0 python bench/textsnake_labels.py [TIMES]
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time

import numba
import numpy as np

from paribus.labs.textsnake.labels import encode


def main() -> None:
    """Measure and print."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    angles = np.linspace(-2.7, -0.4, 8)[:, None]
    direction = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    outline = np.concatenate([92 * direction, (68 * direction)[::-1]])
    polygons = [outline + np.array([130 + 250 * (k % 2), 110 + 78 * (k // 2)]) for k in range(10)]
    encode(polygons, (512, 512))
    clock, busy = [], []
    for _ in range(times):
        start, begun = time.perf_counter(), time.thread_time()
        encode(polygons, (512, 512))
        clock.append(1000 * (time.perf_counter() - start))
        busy.append(1000 * (time.thread_time() - begun))
    low, middle, high = statistics.quantiles(clock, n=4)
    print(f"512 x 512, 10 instances: {middle:.2f} ms (quartiles {low:.2f} to {high:.2f}; processor "
          f"{statistics.median(busy):.2f}), n = {times}")  # fmt: skip
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
          f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}; "
          f"{time.strftime('%Y-%m-%d')}")  # fmt: skip


if __name__ == "__main__":
    main()
