"""What the recipes of feed-forward textures and styles share: options, a context that prints, and the record."""

from __future__ import annotations

import argparse
import hashlib
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from made_on import made_on

from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.crops import paths_in
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator
from paribus.labs.texture.weights_file import save_weights
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.context import Context, Report, Scalars
from paribus.spec.seed import Streams
from paribus.train.arithmetic import reproducible

SEED = 0
OWN = ("--scratch", "--out", "--threads")
"""Options that decide nothing of what is learnt."""


def options_of(parser: argparse.ArgumentParser, *, steps: int) -> argparse.Namespace:
    """Add the options that every recipe has, and read them all."""
    parser.add_argument("--weights", default="cifar10_robust", help="of small_vgg, which measures")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--scratch", type=Path, help="where checkpoints go")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="instead of the package's file")
    return parser.parse_args()


def typed(arguments: Sequence[str]) -> str:
    """Return the command of a recipe as one types it: of a path the last part, and no options of OWN."""
    words, rest = ["python", f"recipes/{Path(arguments[0]).name}"], list(arguments[1:])
    while rest:
        word = rest.pop(0)
        if word in OWN:
            rest = rest[1:]
        elif word.partition("=")[0] not in OWN:
            words.append(Path(word).name if Path(word).exists() else word)
    return shlex.join(words)


def listed(folder: Path) -> dict[str, object]:
    """Return what a record says of a folder of pictures: their names, and a digest of their files in this order."""
    paths, found = paths_in(folder), hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return {"names": [path.relative_to(folder).as_posix() for path in paths], "digest": found.hexdigest()[:16]}


class Run:
    """One training of a recipe."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.set_num_threads(options.threads)
        self.options = options
        self.fixed = Fixed(weights=options.weights)
        self.network = load(self.fixed, Streams(SEED))
        self.curve: dict[int, float] = {}
        self.context = Context(seed=SEED, scratch=options.scratch, emit=self._print)
        self.seconds = 0.0

    @contextmanager
    def training(self) -> Iterator[None]:
        """Within, arithmetic repeats to the bit, and processor time is counted."""
        started = time.process_time()
        with reproducible("cpu"):
            yield
        self.seconds = time.process_time() - started

    def write(self, model: Generator | StyleNetwork | Decoder, path: Path, **more: Any) -> None:
        """Write *model* and its record."""
        record = {
            **more,
            "command": typed(sys.argv),
            "network": str(self.fixed),
            "steps": self.options.steps,
            "train_loss": round(self.curve[max(self.curve)], 5),
            "processor_seconds_of_the_last_part": round(self.seconds),
            **made_on(self.options.threads),
        }
        save_weights(path, model, record)
        print(f"Written: {path} ({path.stat().st_size / 1e6:.2f} MB), {self.seconds:.0f} s of processor time")

    def _print(self, report: Report) -> None:
        if isinstance(report, Scalars) and "train_loss" in report.values:
            self.curve[report.step] = report.values["train_loss"]
            print(report.step, {name: round(value, 5) for name, value in report.values.items()}, flush=True)
