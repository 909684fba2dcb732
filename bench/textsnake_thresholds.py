"""Choose the detector's thresholds on the validation scenes of curved_text: F of DetEval 0.7/0.6 over a grid of them.

    python bench/textsnake_thresholds.py                        # 100 scenes
    python bench/textsnake_thresholds.py --scenes 40 --weights F.safetensors

A row for each pair of thresholds of the text region and of the centre line, a column for each least score. The test
scenes have no part in it.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import torch

from paribus.data.curved_text import VERSION, scene
from paribus.labs.textsnake.data import ground_truth
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.detector import Detector
from paribus.labs.textsnake.evaluation import evaluate

REGION = (0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
LINE = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
SCORE = (0.0, 0.6, 0.65, 0.7, 0.75, 0.8)


def main() -> None:
    """Detect once, decode and score for every choice, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--weights", default="slim")
    options = parser.parse_args()
    torch.set_num_threads(1)
    detector = Detector(options.weights)
    scenes = [scene("validation", index) for index in range(options.scenes)]
    maps = [detector.network(one.image) for one in scenes]
    truth = ground_truth(scenes)
    day = datetime.now(UTC).date()
    print(f"curved_text (synthetic) version {VERSION}, validation, n = {len(scenes)}, {options.weights}, {day}")
    print(f"| region | line | {' | '.join(f'score {least:g}' for least in SCORE)} |")
    print(f"| --- | --- {'| --- ' * len(SCORE)}|")
    for region in REGION:
        for line in LINE:
            found = [decode(*each, tr_threshold=region, tcl_threshold=line) for each in maps]
            cells = []
            for least in SCORE:
                kept = [[text for text in texts if text.score >= least] for texts in found]
                cells.append(f"{evaluate(truth, kept, protocol='deteval', tr=0.7, tp=0.6).f:.3f}")
            print(f"| {region:g} | {line:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
