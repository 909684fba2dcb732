"""What several seeds in lockstep would gain where a fixed network looks at images: one step of 3 B against three of B.

python bench/lockstep.py [ROUNDS]

A step is a forward and a backward pass to the pixels of the embedded network, in bfloat16 and channels last, on one
thread, as a trial computes it. The two ways take turns within a round; the ratio is of each round, its median is told.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch
from torch import Tensor

from paribus.nn.networks.load import load
from paribus.nn.networks.names import fixed
from paribus.spec.seed import Streams
from paribus.train.arithmetic import autocast

SEEDS = 3
CASES = (("adversarial, images of 32x32", 32, 100), ("inversion, photographs", 128, 8), ("texture, images", 128, 2))


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    torch.set_num_threads(1)
    network = load(fixed("small_vgg"), Streams(0)).to(memory_format=torch.channels_last)

    def seconds(images: Tensor, times: int) -> float:
        began = time.perf_counter()
        for _ in range(times):
            variable = images.requires_grad_()
            with autocast("cpu", "bfloat16"):
                logits = network.logits(variable)
            torch.autograd.grad(logits.float().square().sum(), variable)
        return time.perf_counter() - began

    for what, side, batch in CASES:
        few, many = (
            torch.rand(count, 3, side, side).contiguous(memory_format=torch.channels_last)
            for count in (batch, SEEDS * batch)
        )
        seconds(few, 2), seconds(many, 2)
        ratios, apart = [], []
        for _ in range(rounds):
            one, other = seconds(few, SEEDS), seconds(many, 1)
            ratios.append(one / other)
            apart.append(one)
        low, high = (statistics.quantiles(ratios, n=20)[place] for place in (0, -1))
        gained = f"{statistics.median(ratios):.2f} times as fast (90 % of {rounds} rounds {low:.2f} to {high:.2f})"
        took = 1000 * statistics.median(apart)
        print(f"{what}, {batch} a seed: {SEEDS} seeds apart {took:.1f} ms; in lockstep {gained}")


if __name__ == "__main__":
    main()
