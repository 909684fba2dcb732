"""Measure the networks of textures and styles that ship, and write into their records what they are worth.

    python recipes/scores.py [--seeds 4] [--dry-run]

Style networks and the AdaIN decoder are each one arm of a study of the lab texture, on photographs and styles that they
were not trained with; a style network, which has one style, has seen that one. A texture network is measured as the
images of a trial on its texture are; it has seen all of it, the part too that no trial shows. Weights stay as they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator, synthesize
from paribus.labs.texture.measure import measure
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.sources import sample
from paribus.labs.texture.weights_file import load_weights, shipped, shipped_path
from paribus.nn.networks.embed import record, save_embedded
from paribus.spec.context import Context
from paribus.spec.registry import experiment
from paribus.spec.seed import Streams

SHOWN = ("transfer", "content", "style", "ssim", "style_patch_distance", "style_gram_distance")
"""Of the metrics of a trial, those that a record tells."""
OF_TEXTURES = ("patch_distance", "autocorrelation_distance", "gram_on_random_vgg16", "diversity")
"""The same of textures."""
SIDE = 128
"""Pixels a side of a texture: half the side at which a network of textures has been taught, as in a trial."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--dry-run", action="store_true", help="print the scores and leave the files alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    base = "texture/brief/robust"
    asked = {shipped_path(Decoder, name): f"{base}/styles/stylize/adain" for name in shipped(Decoder)}
    for name in shipped(StyleNetwork):
        asked[shipped_path(StyleNetwork, name)] = f"{base}/source={name}/stylize/fast_style"
    scores = {path: _score(named, options.seeds) for path, named in asked.items()}
    scores |= {shipped_path(Generator, name): _textures(name, options.seeds) for name in shipped(Generator)}
    for path, score in scores.items():
        print(f"{path.name}: {score}", flush=True)
        if not options.dry_run:
            _write(path, score)


def _score(named: str, seeds: int) -> dict[str, object]:
    found = experiment(named)
    trials = [found.lab.run(found.config, Context(seed=seed)) for seed in range(seeds)]
    return {"experiment": named, **_told(trials, SHOWN)}


def _textures(name: str, seeds: int) -> dict[str, object]:
    named = f"texture/source={name}/size={SIDE}"
    config = experiment(named).config
    network, trials = load_weights(Generator, name), []
    for seed in range(seeds):
        drawn = [synthesize(network, size=(SIDE, SIDE), seed=seeds * seed + k) for k in range(config.budget.images)]
        made = torch.cat([to_tensor(image) for image in drawn])
        trials.append(measure(made, sample(config, Streams(seed)), Streams(seed)))
    return {"measured_as": f"{named}, of which it has seen both parts", **_told(trials, OF_TEXTURES)}


def _told(trials: Sequence[Mapping[str, float]], shown: Sequence[str]) -> dict[str, object]:
    seeds = len(trials)
    values = {name: np.array([trial[name] for trial in trials]) for name in shown}
    return {
        "n": seeds,
        "mean": {name: round(float(each.mean()), 4) for name, each in values.items()},
        "sd": {name: round(float(each.std(ddof=1)), 4) for name, each in values.items()} if seeds > 1 else {},
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _write(path: Path, score: dict[str, object]) -> None:
    save_embedded(path, safetensors.torch.load_file(path), {**record(path), "score": score})


if __name__ == "__main__":
    main()
