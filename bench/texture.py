"""Measure how long the texture lab's commands take: the bars are for two cores of a machine that does nothing else.

    python bench/texture.py                 # every number, best and median of --repeats
    python bench/texture.py --save DIR      # also writes what came out, to look at

A 256x256 texture of a real photograph from the embedded network, as ``paribus texture synthesize`` makes it: at most
20 s. In one pass: a 256x256 texture from a texture network at most 100 ms, a 512x512 photo stylised at most 300 ms;
these two need trained networks and are left out where none comes with Paribus. Wall-clock time, after imports and
loading; processor time beside it says what other work on the machine did to it.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import torch

from paribus.data.photographs import TEXTURES, photograph
from paribus.data.pictures import Picture, resized, square, write_png
from paribus.labs.texture.asked import configured
from paribus.labs.texture.experiments import Optimisation
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.pixels import to_picture, to_tensor
from paribus.labs.texture.synthesis import synthesise
from paribus.spec.context import Context
from paribus.train.arithmetic import reproducible


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="of what takes one pass")
    parser.add_argument("--textures", nargs="*", default=list(TEXTURES), help="which are synthesised")
    parser.add_argument("--save", type=Path, help="a folder for the results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{datetime.now(UTC):%Y-%m-%d}, PyTorch {torch.__version__}, {_processor()}, {options.threads} threads")
    for name in options.textures:
        _optimised(name, options.save)
    _one_pass(options.repeats, options.save)
    return 0


def _optimised(name: str, save: Path | None) -> None:
    config, experiment = configured("small_vgg:cifar10_robust", "gram", [], None)
    source = to_tensor(resized(photograph(name), longest=256))
    begun, used = time.perf_counter(), time.process_time()
    with reproducible("cpu"):
        context = Context(seed=0)
        found = synthesise(
            source,
            Eye.of(config, context.streams),
            size=(256, 256),
            count=1,
            steps=config.budget.steps,
            method=Optimisation(),
            context=context,
        )
    wall, used = time.perf_counter() - begun, time.process_time() - used
    print(f"synthesize {name:8s} 256x256: {wall:5.1f} s, {used:5.1f} s of processor, loss {found.losses[0]:.2g}")
    if save is not None:
        write_png(save / f"texture_{name}.png", to_picture(found.images), experiment=experiment)


def _one_pass(repeats: int, save: Path | None) -> None:
    from paribus.labs.texture import adain, fast_style, generator
    from paribus.labs.texture.weights_file import encoder_of, load_weights, shipped

    photo, style = square(photograph("astronaut"), 512), photograph("tissue")
    for name in shipped(generator.Generator):
        texture = load_weights(generator.Generator, name)
        _timed(
            f"texture network {name}, 256x256", partial(generator.synthesize, texture, size=(256, 256)), repeats, save
        )
    for name in shipped(fast_style.StyleNetwork):
        network = load_weights(fast_style.StyleNetwork, name)
        _timed(f"style network {name}, 512x512", partial(fast_style.stylize, network, photo), repeats, save)
    for name in shipped(adain.Decoder):
        decoder, encoder = load_weights(adain.Decoder, name), encoder_of(name)
        _timed(f"adain {name}, 512x512", partial(adain.stylize, decoder, encoder, photo, style), repeats, save)


def _timed(what: str, make: Callable[[], Picture], repeats: int, save: Path | None) -> None:
    made, seconds = make(), []
    for _ in range(repeats):
        begun = time.perf_counter()
        made = make()
        seconds.append(time.perf_counter() - begun)
    print(f"{what}: median {1000 * np.median(seconds):.0f} ms, best {1000 * min(seconds):.0f} ms (n = {repeats})")
    if save is not None:
        write_png(
            save / f"{what.partition(',')[0].replace(' ', '_')}.png", made, experiment="texture/base", made_by=what
        )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0]} ({len(named)} cores)" if named else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
