"""What it gains that an attack makes its runs side by side: against the same runs one after the other, in one run.

python bench/side_by_side.py [ROUNDS]

The embedded adversarially trained network is attacked on the middles of photographs at 32x32, taken to be what it says
they are, on one thread. Seconds are those of the processor; the two ways take turns within a round, the ratio is of
each round, and its median is told. The runs are the same either way; where one finds, the others of its image end.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
import torch

from paribus.data.photographs import PHOTOGRAPHS, photograph
from paribus.data.pictures import square
from paribus.labs.adversarial.attacks.apgd import TargetedAPGD
from paribus.labs.adversarial.attacks.autoattack import AutoAttack
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import Search
from paribus.nn.networks.load import load
from paribus.nn.networks.names import fixed
from paribus.nn.pixels import to_tensor
from paribus.spec.seed import Streams

EPS = 2 / 255
ATTACKS = {
    "PGD, 10 starts": PGD(eps=EPS, steps=20, restarts=10),
    "Auto-PGD towards 9 classes": TargetedAPGD(eps=EPS, steps=20),
    "FAB towards 9 classes": TargetedFAB(eps=EPS, steps=20),
    "AutoAttack, 20 steps, 500 queries": AutoAttack(eps=EPS, steps=20, queries=500),
}


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    torch.set_num_threads(1)
    network = load(fixed("small_vgg:cifar10_robust"), Streams(0))
    every = to_tensor(np.stack([square(photograph(name), 32) for name in PHOTOGRAPHS])).contiguous()
    ways = {"in turn": lambda search, images: 1, "together": Search.abreast}
    print("| attack | images | broken | one after the other, s | side by side, s | times as fast (all rounds) |")
    print("| --- | --- | --- | --- | --- | --- |")
    for what, attack in ATTACKS.items():
        for count in (1, 2, len(every)):
            images = every[:count]
            labels = network(images).argmax(dim=1)
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            broken: dict[str, int] = {}
            for _ in range(rounds):
                for way, abreast in ways.items():
                    Search.abreast = abreast  # type: ignore[assignment,method-assign]
                    began = time.process_time()
                    found = attack(network, images, labels, streams=Streams(0))
                    seconds[way].append(time.process_time() - began)
                    broken[way] = int(found.success.sum())
            ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
            apart, beside = (statistics.median(values) for values in seconds.values())
            same = f"{broken['in turn']}" if len(set(broken.values())) == 1 else f"{broken}"
            print(f"| {what} | {count} | {same} | {apart:.2f} | {beside:.2f} | {statistics.median(ratios):.2f} "
                  f"({min(ratios):.2f} to {max(ratios):.2f}) |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
