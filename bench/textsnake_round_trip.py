"""Labels of true polygons, decoded again: how much of each text of ``curved_text`` comes back.

With this lab's refinements of labels and decoding, without each of them, and to the letter of the paper.

python bench/textsnake_round_trip.py [SCENES] [SPLIT]
"""

from __future__ import annotations

import sys
from dataclasses import fields, replace

import numpy as np

from paribus.data.curved_text import scene
from paribus.labs.textsnake.data import labels_of, truth
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.evaluation.overlap import overlaps
from paribus.labs.textsnake.refinements import REFINED, TO_THE_LETTER, Refinements


def main() -> None:
    """Measure and print."""
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    split = sys.argv[2] if len(sys.argv) > 2 else "test"
    without = {f"without {one.name}": replace(REFINED, **{one.name: False}) for one in fields(Refinements)}
    for words, refinements in {"refined": REFINED, **without, "to the letter": TO_THE_LETTER}.items():
        print(f"{words}:", flush=True)
        _report(scenes, split, refinements)


def _report(scenes: int, split: str, refinements: Refinements) -> None:
    ious: dict[bool, list[float]] = {True: [], False: []}
    for index in range(scenes):
        one = scene(split, index)
        texts = [text for text in one.instances if text.legible]
        found = decode(*truth(labels_of(one, refinements)), refinements=refinements)
        table = overlaps([text.polygon for text in texts], [text.polygon for text in found]).iou
        for text, row in zip(texts, table, strict=True):
            ious[text.curved].append(float(row.max(initial=0.0)))
    for words, values in (("all", ious[True] + ious[False]), ("curved", ious[True]), ("straight", ious[False])):
        lost = sum(value == 0 for value in values)
        print(f"  {words}: IoU {np.mean(values):.3f} on average, {np.min(values):.2f} at worst, {lost} lost "
              f"(n = {len(values)} texts of {scenes} {split} scenes)")  # fmt: skip


if __name__ == "__main__":
    main()
