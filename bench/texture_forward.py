"""Time textures and styles in one pass, against what they are held to.

    python bench/texture_forward.py [--threads 2] [--precision bfloat16]

Networks are those that come with Paribus where there are any, else untrained ones of the same size, which take as long.
The times are whole: from a picture in memory, (H, W, 3) uint8, to the picture that comes out.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

import torch

from paribus.data.photographs import photograph
from paribus.data.pictures import square
from paribus.labs.texture import adain, fast_style
from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator, synthesize
from paribus.labs.texture.weights_file import Model, load_weights, shipped
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.seed import Streams


def network(kind: type[Model]) -> Model:
    names = shipped(kind)
    if names:
        return load_weights(kind, names[0])
    return kind().eval().to(memory_format=torch.channels_last)


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    """Return the milliseconds of each of *repeats* calls, after one that does not count."""
    call()
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        found.append((time.perf_counter() - started) * 1e3)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    precision = options.precision
    photo, style = square(photograph("astronaut"), 512), photograph("brick")
    generator, fast, decoder = network(Generator), network(StyleNetwork), network(Decoder)
    encoder = load(Fixed(), Streams(0))
    calls: dict[str, tuple[Callable[[], object], int]] = {
        "texture network, 256x256": (lambda: synthesize(generator, size=(256, 256), precision=precision), 100),
        "fast style, 512x512": (lambda: fast_style.stylize(fast, photo, precision=precision), 300),
        "AdaIN, 512x512": (lambda: adain.stylize(decoder, encoder, photo, style, precision=precision), 300),
    }
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {options.threads} threads, {precision}, torch "
        f"{torch.__version__}, n = {options.repeats}"
    )
    for name, (call, bar) in calls.items():
        found = sorted(timed(call, options.repeats))
        print(
            f"{name:26} median {statistics.median(found):6.0f} ms, least {found[0]:6.0f}, most {found[-1]:6.0f} "
            f"(at most {bar})"
        )


if __name__ == "__main__":
    main()
