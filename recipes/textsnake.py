"""Train the slim TextSnake detector on curved_text and write the file that ships.

    python recipes/textsnake.py --scratch TMP          # the weights in the package, two hours of two cores
    python recipes/textsnake.py --steps 500 --out F.safetensors

An interrupted run goes on from its last checkpoint in ``--scratch``. Scenes are drawn by ``--workers`` processes; how
many there are does not change the result.
"""

from __future__ import annotations

import argparse
import math
import shlex
import time
from pathlib import Path

import torch
from made_on import made_on

from paribus.data.curved_text import edition
from paribus.labs.textsnake.experiments import SLIM, LossWeights, Training
from paribus.labs.textsnake.refinements import REFINED
from paribus.labs.textsnake.shipped import shipped_path
from paribus.labs.textsnake.training import train
from paribus.labs.textsnake.weights_file import save_weights
from paribus.spec.context import Context, Report, Scalars
from paribus.train.arithmetic import reproducible
from paribus.train.schedule import OneCycle

SEED = 0


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=18_000)
    parser.add_argument("--batch", type=int, default=4, help="scenes a step")
    parser.add_argument("--side", type=int, default=384, help="pixels of a scene's side")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak of the learning rate")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--scratch", type=Path, help="where checkpoints go")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=shipped_path("slim"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    training = Training(
        steps=options.steps,
        batch_size=options.batch,
        side=options.side,
        schedule=OneCycle(peak=options.rate),
        precision="bfloat16",
    )
    started = time.monotonic()
    last: dict[str, float] = {}

    def tell(report: Report) -> None:
        if isinstance(report, Scalars):
            last.update(report.values)
            values = {name: round(value, 4) for name, value in report.values.items()}
            print(f"{report.step} {time.monotonic() - started:.0f} s", values, flush=True)

    context = Context(seed=SEED, device=options.device, scratch=options.scratch, emit=tell)
    with reproducible(options.device):
        model = train(SLIM, LossWeights(), training, context, REFINED, options.workers)
    told = [f"--{name}={getattr(options, name)}" for name in ("steps", "batch", "side", "rate")]
    record = {
        "command": shlex.join(["python", "recipes/textsnake.py", *told]),
        "data": f"curved_text {edition()}",
        "steps": options.steps,
        "batch": options.batch,
        "side": options.side,
        "peak_rate": options.rate,
        "train_loss": round(last.get("train_loss", math.nan), 5),
        "seconds_of_the_last_part": round(time.monotonic() - started),
        **made_on(options.threads),
    }
    save_weights(options.out, model.to("cpu"), record)
    print(f"Written: {options.out} ({options.out.stat().st_size / 1e6:.2f} MB)")


if __name__ == "__main__":
    main()
