"""Which test examples flipped between control and arm, and which an arm gets wrong: indices first, pictures after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paribus.errors import DataError
from paribus.report.material import Flip, Flips, Gallery, Mistake
from paribus.spec.lab import Pictures

SHOWN = 12
"""How many examples a gallery shows."""


@dataclass(frozen=True)
class Answers:
    """What one arm answered on the test set, row by row in the order of *seeds*.

    Args:
        seeds: the seeds, S of them.
        correct: (S, E) whether the answer was right.
        predicted: (S, E) predicted classes, or ``None`` where the lab kept none.
        confidence: (S, E) probability of the predicted class, or ``None``.
    """

    seeds: tuple[int, ...]
    correct: NDArray[np.bool_]
    predicted: NDArray[np.int64] | None = None
    confidence: NDArray[np.float64] | None = None

    def on(self, seeds: Sequence[int]) -> Answers:
        """Return the rows of *seeds*."""
        rows = [self.seeds.index(seed) for seed in seeds]

        def pick(values: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
            return None if values is None else values[rows]

        return Answers(tuple(seeds), self.correct[rows], pick(self.predicted), pick(self.confidence))  # type: ignore[arg-type]


def find_flips(control: Answers, arm: Answers) -> Flips | None:
    """Return the examples on which the arms differ in the seeds that both have, those of most seeds first."""
    seeds = [seed for seed in control.seeds if seed in arm.seeds]
    if not seeds or control.correct.shape[1] != arm.correct.shape[1]:
        return None
    control, arm = control.on(seeds), arm.on(seeds)
    gained, lost = ~control.correct & arm.correct, control.correct & ~arm.correct
    return Flips(
        gained=_most(gained, control, arm),
        lost=_most(lost, control, arm),
        gained_per_seed=float(gained.sum(axis=1).mean()),
        lost_per_seed=float(lost.sum(axis=1).mean()),
        examples=control.correct.shape[1],
        seeds=len(seeds),
    )


def find_mistakes(arm: Answers) -> Gallery | None:
    """Return the examples that *arm* gets wrong in most seeds and, among those, with most confidence."""
    if not arm.seeds:
        return None
    wrong = ~arm.correct
    count = wrong.sum(axis=0)
    if arm.confidence is None:
        mean = np.zeros(len(count))
    else:
        mean = np.where(wrong, arm.confidence, 0.0).sum(axis=0) / np.maximum(count, 1)
    order = np.lexsort((np.arange(len(count)), -mean, -count))[:SHOWN]
    mistakes = tuple(
        Mistake(
            index=int(index),
            seeds=int(count[index]),
            predicted=_usual(arm.predicted, wrong, int(index)),
            confidence=None if arm.confidence is None else float(mean[index]),
        )
        for index in order
        if count[index] > 0
    )
    return Gallery(mistakes=mistakes, seeds=len(arm.seeds)) if mistakes else None


def illustrate(
    flips: Flips | None, errors: Gallery | None, look: Callable[[Sequence[int]], Pictures] | None
) -> tuple[Flips | None, Gallery | None]:
    """Return both with the pictures and the classes' names that *look* gives for their indices.

    Raises:
        DataError: what *look* gives are not as many pictures with labels as were asked for.
    """
    if look is None:
        return flips, errors
    shown: list[Flip | Mistake] = [*(flips.gained + flips.lost if flips else ()), *(errors.mistakes if errors else ())]
    indices = sorted({item.index for item in shown})
    if not indices:
        return flips, errors
    pictures = _checked(look(indices), len(indices))
    row = {index: number for number, index in enumerate(indices)}

    def word(text: str) -> str:
        return pictures.classes[int(text)] if text.isdigit() and int(text) < len(pictures.classes) else text

    def label(index: int) -> str:
        return pictures.classes[int(pictures.labels[row[index]])]

    def with_picture(flip: Flip) -> Flip:
        image = pictures.images[row[flip.index]]
        return replace(flip, image=image, label=label(flip.index), control=word(flip.control), arm=word(flip.arm))

    if flips is not None:
        gained, lost = (tuple(with_picture(flip) for flip in group) for group in (flips.gained, flips.lost))
        flips = replace(flips, gained=gained, lost=lost)
    if errors is not None:
        mistakes = tuple(
            replace(
                mistake,
                image=pictures.images[row[mistake.index]],
                label=label(mistake.index),
                predicted=word(mistake.predicted),
            )
            for mistake in errors.mistakes
        )
        errors = replace(errors, mistakes=mistakes)
    return flips, errors


def _checked(pictures: Pictures, count: int) -> Pictures:
    images, labels = np.asarray(pictures.images), np.asarray(pictures.labels)
    coloured = images.ndim == 4 and images.shape[3] in (1, 3)
    if images.dtype != np.uint8 or len(images) != count or not (coloured or images.ndim == 3):
        raise DataError(f"images are uint8 ({count}, H, W, 1 or 3), not {images.dtype} {images.shape}")
    if labels.shape != (count,) or not all(0 <= int(label) < len(pictures.classes) for label in labels):
        raise DataError(f"labels are {count} places in the {len(pictures.classes)} classes, one an image")
    return Pictures(images, labels, pictures.classes)


def _most(flipped: NDArray[np.bool_], control: Answers, arm: Answers) -> tuple[Flip, ...]:
    count = flipped.sum(axis=0)
    order = np.argsort(-count, kind="stable")[:SHOWN]
    return tuple(
        Flip(
            index=int(index),
            seeds=int(count[index]),
            control=_usual(control.predicted, flipped, int(index)),
            arm=_usual(arm.predicted, flipped, int(index)),
        )
        for index in order
        if count[index] > 0
    )


def _usual(predicted: NDArray[np.int64] | None, where: NDArray[np.bool_], index: int) -> str:
    """The class that is predicted most often for example *index* in the seeds marked by *where*, as its number."""
    if predicted is None:
        return ""
    classes, counts = np.unique(predicted[where[:, index], index], return_counts=True)
    return str(int(classes[counts.argmax()]))
