"""Measure the style networks and the AdaIN decoder that ship, and write into their records what they are worth.

    python recipes/style_scores.py [--seeds 4] [--dry-run]

Each is one arm of a study of the lab texture, on photographs and styles that it was not trained with; a style network,
which has one style, has seen that one. The weights stay as they are.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.weights_file import shipped, shipped_path
from paribus.nn.networks.embed import record, save_embedded
from paribus.spec.context import Context
from paribus.spec.registry import experiment

SHOWN = ("transfer", "content", "style", "ssim", "style_patch_distance", "style_gram_distance")
"""Of the metrics of a trial, those that a record tells."""


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
    for path, named in asked.items():
        score = _score(named, options.seeds)
        print(f"{path.name}: {score}", flush=True)
        if not options.dry_run:
            _write(path, score)


def _score(named: str, seeds: int) -> dict[str, object]:
    found = experiment(named)
    trials = [found.lab.run(found.config, Context(seed=seed)) for seed in range(seeds)]
    values = {name: np.array([trial[name] for trial in trials]) for name in SHOWN}
    return {
        "experiment": named,
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
