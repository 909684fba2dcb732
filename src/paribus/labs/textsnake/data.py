"""Scenes with their labels, in batches that depend on seed and step alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from paribus.data.curved_text import SIZES, Scene, scene
from paribus.data.text_sets import AnnotatedImages
from paribus.errors import DataError
from paribus.labs.textsnake.evaluation import GroundTruth
from paribus.labs.textsnake.experiments import Config, Training
from paribus.labs.textsnake.labels import Labels, encode
from paribus.labs.textsnake.loss import Target
from paribus.labs.textsnake.published import as_stored
from paribus.labs.textsnake.refinements import Refinements
from paribus.labs.textsnake.views import view
from paribus.spec.seed import Streams


def labels_of(drawn: Scene, refinements: Refinements) -> Labels:
    """Return the labels of a scene; instances that nobody can read are asked of nobody."""
    return encode(
        [text.polygon for text in drawn.instances if text.legible],
        drawn.image.shape[:2],
        ignored=[text.polygon for text in drawn.instances if not text.legible],
        refinements=refinements,
    )


def target_of(labels: Labels, device: str) -> Target:
    """Return the labels of one scene as a batch of one."""
    maps = (labels.text, labels.centre, labels.radius, labels.cos, labels.sin, ~labels.ignored)
    return Target(*(torch.from_numpy(values)[None].to(device) for values in maps))


def truth(labels: Labels) -> NDArray[np.float32]:
    """Return the maps that a network without fault would give, as decoding takes them: (5, H, W)."""
    return np.stack([labels.text, labels.centre, labels.radius, labels.cos, labels.sin]).astype(np.float32)


def ground_truth(scenes: Sequence[Scene], kinds: Collection[bool] = (True, False)) -> list[list[GroundTruth]]:
    """Return the texts of each scene to score by; those do not count that nobody can read, or that are of other
    *kinds*: True for curved ones, False for straight ones."""
    return [
        [GroundTruth(text.polygon, ignore=not text.legible or text.curved not in kinds) for text in seen.instances]
        for seen in scenes
    ]


Example = tuple[Tensor, Tensor]
"""Pixels (3, S, S) uint8 and labels (6, S, S) float16: what a worker process makes."""


def example(image: NDArray[np.uint8], labels: Labels) -> Example:
    """Return what is learnt from *image* (S, S, 3)."""
    maps = np.stack([labels.text, labels.centre, labels.radius, labels.cos, labels.sin, ~labels.ignored])
    return torch.from_numpy(image.transpose(2, 0, 1).copy()), torch.from_numpy(maps.astype(np.float16))


@dataclass
class TrainingScenes(Dataset[Example]):
    """The training scenes of a seed, of *side* pixels; after the last, the first comes again."""

    side: int
    seed: int
    refinements: Refinements

    def __getitem__(self, index: int) -> Example:
        drawn = scene("train", index % SIZES["train"], seed=Streams(self.seed).integer("curved_text"), side=self.side)
        return example(drawn.image, labels_of(drawn, self.refinements))


@dataclass
class Views(Dataset[Example]):
    """Random views, of *side* pixels, of annotated photographs; each photograph comes once before any comes again."""

    photographs: AnnotatedImages
    side: int
    seed: int

    def __getitem__(self, index: int) -> Example:
        count = len(self.photographs)
        order = Streams(self.seed).generator(f"order/{index // count}").permutation(count)
        random = Streams(self.seed).generator(f"view/{index}")
        for step in range(count):
            annotated = self.photographs[int(order[(index + step) % count])]
            try:
                picture = as_stored(annotated.path)
            except DataError:
                if not self.photographs.skip_broken:
                    raise
                continue
            seen = view(picture, annotated.instances, self.side, random)
            return example(seen.image, seen.labels())
        raise DataError(f"none of the {count} photographs can be read")


def _alone(_: int) -> None:
    """Let a worker process draw in one thread; others train and draw beside it."""
    cv2.setNumThreads(1)


@dataclass
class Batches:
    """The training batches of *examples* in their order, from any step on.

    Args:
        examples: the scenes or views; number b of step k is k B + b.
        training: how many a step, and how many steps.
        workers: processes that make examples ahead; they are the same for any number.
    """

    examples: Dataset[Example]
    training: Training
    workers: int = 0

    def __post_init__(self) -> None:
        self._next = -1
        self._from: Iterator[Example] = iter(())

    def take(self, step: int, device: torch.device) -> tuple[Tensor, Target]:
        """Return the images (B, 3, S, S), float32 of 0 to 255, and labels of *step*; in order it is quickest."""
        if step != self._next:
            self._from = self._loader(step)
        images, maps = next(self._from)
        self._next = step + 1
        on_device = maps.to(device).float()
        masks = [on_device[:, index] > 0.5 for index in (0, 1, 5)]
        target = Target(masks[0], masks[1], on_device[:, 2], on_device[:, 3], on_device[:, 4], masks[2])
        return images.to(device).float().contiguous(memory_format=torch.channels_last), target

    def _loader(self, start: int) -> Iterator[Example]:
        size = self.training.batch_size
        steps = range(start, max(self.training.steps, start + 1))
        rows = [[step * size + row for row in range(size)] for step in steps]
        ahead = self.workers > 0
        return iter(
            DataLoader(
                self.examples,
                batch_sampler=rows,
                num_workers=self.workers,
                prefetch_factor=4 if ahead else None,
                multiprocessing_context="forkserver" if ahead else None,
                worker_init_fn=_alone,
                generator=torch.Generator().manual_seed(0),
            )
        )


def test_scenes(config: Config, seed: int) -> Sequence[Scene]:
    """Return the scenes that a trial is judged on.

    The first test scenes, the same for every seed, where the trial trains; else, where only the scenes can vary, those
    that the seed draws without repetition.
    """
    rows: NDArray[np.int64] = np.arange(SIZES["test"])
    if not isinstance(config.source, Training):
        rows = Streams(seed).generator("order").permutation(SIZES["test"])
    return [scene("test", int(row)) for row in rows[: config.scoring.scenes]]
