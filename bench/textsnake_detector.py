"""Time the text detector end to end: pictures of 512x512 a second, in torch and in onnxruntime.

    python bench/textsnake_detector.py [--weights slim] [--threads 2,1] [--repeats 20]

From a picture in memory, (H, W, 3) uint8, to polygons in its pixels: `Detector.detect` on scenes of the test split of
curved_text. A second is one of the clock, and the median is of so many calls; beside it stand the milliseconds of
processor that a call took, which a busy machine hardly changes, and what the network alone and the decoder alone take.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BAR = 8.0
"""Pictures a second that two processor cores must reach."""


def main() -> None:
    """Measure each combination in a process of its own, since threads are counted when a library is loaded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="slim")
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return measured(options.one, options.weights, int(options.threads), options.repeats)
    from paribus.labs.textsnake.export import export_onnx
    from paribus.labs.textsnake.weights_file import load_weights

    with tempfile.TemporaryDirectory() as folder:
        onnx = export_onnx(load_weights(options.weights), Path(folder) / "detector.onnx")
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, n = {options.repeats}")
        for threads in options.threads.split(","):
            for name, weights in (("torch", options.weights), ("onnxruntime", onnx)):
                command = [sys.executable, __file__, "--one", name, "--weights", str(weights), "--threads", threads]
                environment = {**os.environ, "OMP_NUM_THREADS": threads}
                subprocess.run([*command, "--repeats", str(options.repeats)], check=True, env=environment)
    return None


def measured(name: str, weights: str, threads: int, repeats: int) -> None:
    """Print the line of one combination."""
    import cv2

    from paribus.data.curved_text import scene
    from paribus.labs.textsnake.decode import decode
    from paribus.labs.textsnake.detector import Detector, padded

    cv2.setNumThreads(threads)
    detector = Detector(weights)
    if name == "torch":
        import torch

        torch.set_num_threads(threads)
        version = torch.__version__
    else:
        import onnxruntime

        from paribus.labs.textsnake.detector import Onnx

        detector.network = Onnx(Path(weights), threads=threads)
        version = onnxruntime.__version__
    pictures = [scene("test", index).image for index in range(repeats)]
    maps = [detector.network(padded(picture)) for picture in pictures]
    whole, spent = timed([lambda shown=shown: detector.detect(shown) for shown in pictures])  # type: ignore[misc]
    network, _ = timed([lambda shown=shown: detector.network(shown) for shown in pictures])  # type: ignore[misc]
    decoder, _ = timed([lambda shown=shown: decode(*shown) for shown in maps])  # type: ignore[misc]
    print(
        f"{name} {version}, {threads} thread{'s' if threads > 1 else ''}: {1e3 / whole:5.1f} pictures/s (at least "
        f"{BAR:g} on 2 cores); median {whole:.0f} ms, processor {spent:.0f} ms, network {network:.0f} ms, "
        f"decoder {decoder:.2f} ms",
        flush=True,
    )


def timed(calls: list[Callable[[], object]]) -> tuple[float, float]:
    """Return the median milliseconds of *calls*, by the clock and of the processor, after one that does not count."""
    calls[0]()
    clock, spent = [], []
    for call in calls:
        started, busy = time.perf_counter(), time.process_time()
        call()
        clock.append((time.perf_counter() - started) * 1e3)
        spent.append((time.process_time() - busy) * 1e3)
    return statistics.median(clock), statistics.median(spent)


if __name__ == "__main__":
    main()
