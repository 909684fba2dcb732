"""The lab's diagnostics: the scenes, the labels made of them, and whether the network can learn them at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from paribus.data.curved_text import Scene, scene
from paribus.labs.textsnake.data import Batches, TrainingScenes, labels_of, truth
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.draw import drawn
from paribus.labs.textsnake.evaluation import overlaps
from paribus.labs.textsnake.experiments import Config, Training
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.loss import losses
from paribus.labs.textsnake.model import build, scaled
from paribus.labs.textsnake.refinements import REFINED, Refinements
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.train.arithmetic import reproducible

SCENES = 30
OVERFIT_STEPS = 60
"""Steps on one batch; a network that can learn has by then lost a third of its loss."""


def check(config: Config, context: Context) -> Iterator[Finding]:
    """Yield findings on the data, on the labels and, where the trial would train, on the network."""
    seen = [scene("test", index) for index in range(SCENES)]
    yield _texts(seen)
    yield _words([scene("train", index) for index in range(SCENES)], seen)
    yield _round_trip(seen, config.refinements)
    if isinstance(config.source, Training):
        with reproducible(context.device):
            yield from _learning(config, config.source, context)


def contact_sheet() -> NDArray[np.uint8]:
    """Return twelve test scenes with the outlines of their legible texts, four in a row, each 256 pixels wide."""
    rows = []
    for start in range(0, 12, 4):
        shown = []
        for index in range(start, start + 4):
            seen = scene("test", index)
            true = [
                Instance(polygon=text.polygon, disks=np.empty((0, 3)), score=1.0)
                for text in seen.instances
                if text.legible
            ]
            shown.append(cv2.resize(drawn(seen.image, true), (256, 256), interpolation=cv2.INTER_AREA))
        rows.append(np.hstack(shown))
    return np.vstack(rows).astype(np.uint8)


def _texts(seen: Sequence[Scene]) -> Finding:
    every = [text for one in seen for text in one.instances]
    legible = [text for text in every if text.legible]
    curved = sum(text.curved for text in legible) / max(1, len(legible))
    return Finding(
        "texts",
        "ok" if 0.2 < curved < 0.8 else "warning",
        f"{len(legible) / len(seen):.1f} legible texts a scene, {curved:.0%} of them curved; "
        f"{len(every) - len(legible)} of {len(every)} illegible (n = {len(seen)} test scenes)",
        "Both kinds are there to be compared; what nobody can read is neither asked for nor counted against.",
    )


def _words(train: Sequence[Scene], test: Sequence[Scene]) -> Finding:
    words = {
        split: {word.lower() for one in scenes for text in one.instances for word in text.text.split()}
        for split, scenes in (("train", train), ("test", test))
    }
    shared = {word for word in words["train"] & words["test"] if word.isalpha() and len(word) > 2}
    return Finding(
        "words of train and test",
        "warning" if shared else "ok",
        f"{len(words['train'])} and {len(words['test'])}, {len(shared)} in common (n = {SCENES} scenes each)",
        "A detector must find words that it has never seen; numbers and single letters may recur.",
    )


def _round_trip(seen: Sequence[Scene], refinements: Refinements) -> Finding:
    ious = []
    for one in seen:
        found = decode(*truth(labels_of(one, refinements)), refinements=refinements)
        true = [text.polygon for text in one.instances if text.legible]
        if true:
            table = overlaps(true, [text.polygon for text in found]).iou
            ious += list(table.max(axis=1) if table.shape[1] else np.zeros(len(true)))
    mean, worst = float(np.mean(ious)), float(np.min(ious))
    return Finding(
        "labels decoded again",
        "ok" if mean >= (0.93 if refinements == REFINED else 0.85) else "warning",
        f"IoU with the true polygons {mean:.3f} on average, {worst:.2f} at worst (n = {len(ious)})",
        "What decoding loses from perfect maps no network can win back; to the letter of the paper it loses a tenth.",
    )


def _learning(config: Config, training: Training, context: Context) -> Iterator[Finding]:
    device = torch.device(context.device)
    model = build(config.network, context.streams).to(device).to(memory_format=torch.channels_last).train()
    optimizer = training.optimizer.build(model.parameters(), rate=1e-3)
    images, target = Batches(TrainingScenes(training.side, context.seed, config.refinements), training).take(0, device)
    totals, first_text = [], math.nan
    for _ in range(OVERFIT_STEPS):
        found = losses(model(scaled(images[:2])), target.first(2), config.loss)
        total = torch.stack(list(found.values())).sum()
        totals.append(float(total.detach()))
        if len(totals) == 1:
            first_text = float(found["text"].detach())
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    at_random = math.log(2)
    yield Finding(
        "loss at the start",
        "ok" if 0.5 * at_random < first_text < 3 * at_random else "warning",
        f"text region {first_text:.2f}; one that knows nothing of two classes has ln 2 = {at_random:.2f}",
        "Far more means that the first steps only undo the initial weights.",
    )
    yield Finding(
        "two scenes learnt by heart",
        "ok" if totals[-1] < 2 / 3 * totals[0] else "warning",
        f"loss {totals[0]:.2f} to {totals[-1]:.2f} in {OVERFIT_STEPS} steps",
        "A network that cannot learn two scenes by heart learns nothing from a million.",
    )
