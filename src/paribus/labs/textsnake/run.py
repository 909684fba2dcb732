"""One trial: maps of the test scenes, from a network or from the truth, decoded and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from paribus.data.curved_text import Scene
from paribus.errors import DataError
from paribus.labs.textsnake.contours import contours, rotated_boxes
from paribus.labs.textsnake.data import ground_truth, labels_of, target_of, test_scenes, truth
from paribus.labs.textsnake.decode import Acts, decode
from paribus.labs.textsnake.draw import drawn
from paribus.labs.textsnake.evaluation import ImageScores, evaluate
from paribus.labs.textsnake.experiments import Config, Oracle, Shipped
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.loss import losses
from paribus.labs.textsnake.model import TextSnake, scaled
from paribus.labs.textsnake.shipped import digest
from paribus.labs.textsnake.training import train
from paribus.labs.textsnake.weights_file import load_weights
from paribus.spec.context import Context
from paribus.train.arithmetic import reproducible

Floats = NDArray[np.float32]
SHOWN = 2
"""Test scenes whose instances are drawn and kept with the trial."""


def run(config: Config, context: Context) -> Mapping[str, float]:
    """Return the final metrics of a trial, on scenes of 512x512 that nothing was trained on.

    ``recall``, ``precision`` and their harmonic mean ``f`` under the protocol of the configuration; the same of curved
    and of straight text alone (``f_curved``, ``f_straight``, ...), where text of the other kind is neither to be found
    nor counted against. ``found``: the share of legible instances that take part in a match. ``test_loss``: the mean of
    the configuration's own loss over the scenes; of the true maps it is 0.
    """
    with reproducible(context.device):
        network = _network(config, context)
        scenes = test_scenes(config, context.seed)
        found, lost = [], 0.0
        for number, seen in enumerate(scenes):
            maps, loss = maps_of(network, seen, config, context.device)
            found.append(instances(maps, config))
            lost += loss / len(scenes)
            context.progress(number + 1, len(scenes))
            if number < SHOWN:
                context.artifact(f"picture/test scene {number + 1}", drawn(seen.image, found[-1]))
    return {**_scored(config, scenes, found, context), "test_loss": lost}


def _network(config: Config, context: Context) -> TextSnake | None:
    if isinstance(config.source, Oracle):
        return None
    if isinstance(config.source, Shipped):
        asked = config.source
        if asked.digest != digest(asked.name):
            raise DataError(f"the experiment is about weights {asked.digest}; those here are {digest(asked.name)}")
        return load_weights(asked.name).to(context.device)
    return train(config.network, config.loss, config.source, context, config.refinements)


@torch.no_grad()
def maps_of(network: TextSnake | None, seen: Scene, config: Config, device: str) -> tuple[Floats, float]:
    """Return text and centre-line probabilities, radius, cos and sin, (5, H, W), and the loss of these maps.

    They are the network's, or without one the truth.
    """
    labels = labels_of(seen, config.refinements)
    if network is None:
        return truth(labels), 0.0
    image = torch.from_numpy(seen.image.transpose(2, 0, 1).copy())[None].to(device).float()
    maps = network(scaled(image).contiguous(memory_format=torch.channels_last))
    loss = sum(float(term) for term in losses(maps, target_of(labels, device), config.loss).values())
    return np.asarray(maps.probabilities()[0].cpu().numpy(), dtype=np.float32), loss


def instances(maps: Floats, config: Config) -> list[Instance]:
    """Return the text instances in *maps* (5, H, W)."""
    how = config.decoding
    if how.representation == "contours":
        return contours(maps[0], tr_threshold=how.tr_threshold)
    if how.representation == "rotated_boxes":
        return rotated_boxes(maps[0], tr_threshold=how.tr_threshold)
    acts = Acts(centralize=how.centralize, stride=how.stride, slide=how.slide)
    found = decode(
        *maps,
        tr_threshold=how.tr_threshold,
        tcl_threshold=how.tcl_threshold,
        acts=acts,
        refinements=config.refinements,
    )
    return [text for text in found if text.score >= how.least_score]


def _scored(
    config: Config, scenes: Sequence[Scene], found: Sequence[Sequence[Instance]], context: Context
) -> dict[str, float]:
    how = config.scoring
    metrics: dict[str, float] = {}
    for suffix, kinds in (("", (True, False)), ("_curved", (True,)), ("_straight", (False,))):
        asked = ground_truth(scenes, kinds)
        scores = evaluate(asked, found, protocol=how.protocol, tr=how.tr, tp=how.tp)
        metrics |= {
            f"recall{suffix}": scores.recall,
            f"precision{suffix}": scores.precision,
            f"f{suffix}": scores.f,
        }
        if not suffix:
            hit = np.concatenate([_found(image, len(true)) for image, true in zip(scores.images, asked, strict=True)])
            context.outcomes("found", hit)
            metrics["found"] = float(hit.mean()) if len(hit) else 0.0
    return metrics


def _found(image: ImageScores, count: int) -> NDArray[np.bool_]:
    """Return of each of the ground truths that count whether it takes part in a match."""
    hit = np.zeros(count, dtype=bool)
    hit[[place for match in image.matches for place in match.ground_truths]] = True
    return np.delete(hit, image.ignored)
