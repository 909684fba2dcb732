"""What an evaluation gives: recall, precision and F, of all images and of each, and the matches behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["one-to-one", "split", "merge"]


@dataclass(frozen=True, kw_only=True)
class Match:
    """Ground truths and predictions that belong together; the numbers are places in the lists that were given."""

    kind: Kind
    """``split``: one ground truth found in several parts; ``merge``: several ground truths found as one."""
    ground_truths: tuple[int, ...]
    predictions: tuple[int, ...]
    credit: float = 1.0
    """What each of its ground truths counts as found and each of its predictions as right, 0..1."""


@dataclass(frozen=True, kw_only=True)
class ImageScores:
    """The scores of one image; recall, precision and f as in :class:`Scores`, from this image alone."""

    recall: float
    precision: float
    f: float
    ground_truths: int
    """How many count: those that are not do-not-care."""
    predictions: int
    """How many count: those that do not fall on do-not-care."""
    matches: tuple[Match, ...]
    ignored: tuple[int, ...] = ()
    """Places of the ground truths that are do-not-care."""
    dropped: tuple[int, ...] = ()
    """Places of the predictions that fall on do-not-care and count neither for nor against."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Recall, precision and F over all images together, with the protocol and the thresholds that they belong to.

    recall = credit of the ground truths found / ground truths, precision = credit of the predictions that are right /
    predictions, f = 2 * recall * precision / (recall + precision); each 0..1. With nothing to find, recall is 1; with
    nothing predicted, precision is 1 if there was nothing to find and else 0; f is 0 where both are 0.
    """

    recall: float
    precision: float
    f: float
    ground_truths: int
    """How many count, over all images: those that are not do-not-care."""
    predictions: int
    """How many count, over all images: those that do not fall on do-not-care."""
    recall_credit: float
    """The sum of what the matches count for recall; whole where each is one-to-one."""
    precision_credit: float
    protocol: str
    thresholds: Mapping[str, float]
    """By name, as in the arguments of ``evaluate``; only those that the protocol uses."""
    images: tuple[ImageScores, ...]
    """In the order given."""

    @property
    def ignored(self) -> int:
        """How many ground truths are do-not-care."""
        return sum(len(image.ignored) for image in self.images)

    @property
    def dropped(self) -> int:
        """How many predictions fall on do-not-care."""
        return sum(len(image.dropped) for image in self.images)

    @property
    def label(self) -> str:
        """The protocol with its thresholds: ``deteval at tr 0.7, tp 0.6, penalty 0.8, care 0.5``."""
        return f"{self.protocol} at " + ", ".join(f"{name} {value:g}" for name, value in self.thresholds.items())

    def __str__(self) -> str:
        return (
            f"{self.label}: recall {self.recall:.3f}, precision {self.precision:.3f}, F {self.f:.3f}"
            f" ({len(self.images)} images, {self.ground_truths} ground truths and {self.ignored} do-not-care,"
            f" {self.predictions} predictions and {self.dropped} on do-not-care)"
        )


def rates(
    recall_credit: float, precision_credit: float, ground_truths: int, predictions: int
) -> tuple[float, float, float]:
    """Return recall, precision and f as :class:`Scores` defines them."""
    recall = recall_credit / ground_truths if ground_truths else 1.0
    precision = precision_credit / predictions if predictions else float(not ground_truths)
    total = recall + precision
    return recall, precision, 2 * recall * precision / total if total else 0.0


def credits(matches: Sequence[Match]) -> tuple[float, float]:
    """Return what *matches* count for recall and for precision."""
    found = sum(match.credit * len(match.ground_truths) for match in matches)
    right = sum(match.credit * len(match.predictions) for match in matches)
    return found, right
