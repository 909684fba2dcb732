"""Score the shipped TextSnake detector on the test scenes of curved_text, under every protocol.

    python bench/textsnake_scores.py                      # all 500 scenes
    python bench/textsnake_scores.py --scenes 50 --weights F.safetensors

Curved and straight text apart: text of the other kind is then neither to be found nor counted against. The interval is
the bootstrap's over scenes, 95 %.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import torch

from paribus.data.curved_text import SIZES, VERSION, Scene, scene
from paribus.labs.textsnake.data import ground_truth
from paribus.labs.textsnake.detector import Detector
from paribus.labs.textsnake.evaluation import Protocol, Scores, evaluate
from paribus.labs.textsnake.instance import Instance
from paribus.spec.seed import Streams

HOW: tuple[tuple[Protocol, float, float], ...] = (
    ("deteval", 0.7, 0.6),
    ("deteval", 0.8, 0.4),
    ("ctw1500", 0.7, 0.6),
    ("icdar2015", 0.7, 0.6),
    ("msra_td500", 0.7, 0.6),
)
DRAWS = 400


def main() -> None:
    """Detect, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=SIZES["test"])
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--weights", default="slim")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    detector = Detector(options.weights)
    scenes = [scene(options.split, index) for index in range(options.scenes)]
    found = [detector.detect(one.image) for one in scenes]
    print(f"curved_text (synthetic) version {VERSION}, {options.split}, n = {len(scenes)}, weights {options.weights}")
    print(f"{platform.machine()}, torch {torch.__version__}, {datetime.now(UTC).date()}")
    print("| protocol | text | recall | precision | F | 95 % |\n| --- | --- | --- | --- | --- | --- |")
    for protocol, tr, tp in HOW:
        for words, kinds in (("all", (True, False)), ("curved", (True,)), ("straight", (False,))):
            scores, low, high = scored(scenes, found, kinds, protocol, tr, tp)
            name = f"DetEval {tr}/{tp}" if protocol == "deteval" else f"{protocol}, IoU 0.5"
            numbers = f"{scores.recall:.3f} | {scores.precision:.3f} | {scores.f:.3f} | {low:.3f} to {high:.3f}"
            print(f"| {name} | {words} | {numbers} |")


def scored(
    scenes: Sequence[Scene],
    found: Sequence[Sequence[Instance]],
    kinds: tuple[bool, ...],
    protocol: Protocol,
    tr: float,
    tp: float,
) -> tuple[Scores, float, float]:
    """Return the scores and the interval of F."""
    scores = evaluate(ground_truth(scenes, kinds), found, protocol=protocol, tr=tr, tp=tp)
    counts = np.array([(one.ground_truths, one.predictions) for one in scores.images])
    shares = np.array([(one.recall, one.precision) for one in scores.images])
    credits = shares * counts
    draw = Streams(0).generator("bootstrap").integers(0, len(counts), (DRAWS, len(counts)))
    recall, precision = (credits[draw].sum(axis=1) / np.maximum(counts[draw].sum(axis=1), 1)).T
    f = 2 * recall * precision / np.maximum(recall + precision, 1e-9)
    low, high = np.quantile(f, (0.025, 0.975))
    return scores, low, high


if __name__ == "__main__":
    main()
