"""What a report is made of: plain values, gathered by whoever opens the store, so that a report needs no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import ArmScores, Concordance, Verdict
from paribus.spec.difference import FieldDifference
from paribus.spec.study import Study


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A value followed through training: steps (T,) rising, values (S, T), one row a seed; NaN where not measured."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Flip:
    """A test example that one arm gets right and the other wrong, in *seeds* of the paired seeds."""

    index: int
    seeds: int
    image: NDArray[np.uint8] | None = None
    """(H, W, 3), (H, W, 1) or (H, W); None where the lab shows no pictures."""
    label: str = ""
    control: str = ""
    """What the control most often predicts in those seeds; empty where predictions are not kept."""
    arm: str = ""


@dataclass(frozen=True, kw_only=True)
class Flips:
    """The examples on which control and arm differ, those that flip in most seeds first."""

    gained: tuple[Flip, ...]
    """Control wrong and arm right."""
    lost: tuple[Flip, ...]
    """Control right and arm wrong."""
    gained_per_seed: float
    """Mean number of examples gained, a seed."""
    lost_per_seed: float
    examples: int
    """Size of the test set."""
    seeds: int
    """Paired seeds that were compared."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A test example that an arm gets wrong, with what it took it for."""

    index: int
    seeds: int
    """In how many seeds it is wrong."""
    image: NDArray[np.uint8] | None = None
    label: str = ""
    predicted: str = ""
    """The most frequent wrong prediction."""
    confidence: float | None = None
    """Mean probability that the arm gave its wrong answers, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The mistakes that an arm makes in most of its *seeds*, with most confidence."""

    mistakes: tuple[Mistake, ...]
    seeds: int


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """A trial that diverged or failed, with its reason."""

    seed: int
    outcome: str
    message: str
    traceback: str = ""
    """Of the first trial of those that failed on the same path through the code; else empty."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """What one trial made of the image that it optimised."""

    seed: int
    strip: NDArray[np.uint8] | None = None
    """(T, H, W, 3), from the start to the end of the optimisation."""
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    """Caption -> (H, W, 3): the original beside the result, say."""


@dataclass(frozen=True, kw_only=True)
class ArmMaterial:
    """All that a report says about one arm; about the control too, whose differences are empty."""

    name: str
    label: str
    """The last segments, those that differ from the control; ``base`` or the like for the control itself."""
    scores: ArmScores
    docs: tuple[str, ...] = ()
    """The sentences of its changes."""
    metrics: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """Every final metric -> seed -> value."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """What was measured during training, by its name."""
    differences: tuple[FieldDifference, ...] = ()
    source_diff: str = ""
    """The unified diff of the code that the differing fields stand for; empty where no code differs."""
    mishaps: tuple[Mishap, ...] = ()
    flips: Flips | None = None
    errors: Gallery | None = None
    images: Images | None = None
    """Of the first seed that was completed, where the lab keeps any."""


@dataclass(frozen=True, kw_only=True)
class NoteLine:
    """A line of the work log."""

    about: str
    text: str
    author: str
    written: datetime


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The experiment picked by a validation metric, judged on seeds that took no part in the choice."""

    verdict: Verdict | None
    """``None`` where the control itself was picked."""
    how: str
    """How it was chosen, in words."""


@dataclass(frozen=True, kw_only=True)
class Material:
    """A study with its results, ready to be shown.

    ``verdicts`` and ``arms`` have the same order, that of the study.
    """

    study: Study
    base: str
    base_reason: str
    data: str
    """What the data is, in words, and whether it is real or synthetic."""
    verdicts: tuple[Verdict, ...]
    control: ArmMaterial
    arms: tuple[ArmMaterial, ...]
    environment: Mapping[str, Any]
    """Versions, hardware, threads, device, precision, commit, code digest: whatever was recorded."""
    command: str
    """What reproduces the results, typed into a shell."""
    made: datetime
    seconds: float
    """Time spent on the trials, added up."""
    chosen: Chosen | None = None
    other_environments: int = 0
    """How many trials ran in an environment that differs from the one shown."""
    environments_differ_in: tuple[str, ...] = ()
    """The fields in which those environments differ from it."""
    notes: tuple[NoteLine, ...] = ()
    agreement: tuple[Concordance, ...] = ()
    """How alike the judges of each of the study's measures rank control and arms, by their labels."""
    max_seeds: int | None = None
    """The planned maximum where one looked after every seed; ``None`` for a number of seeds fixed beforehand."""
    looks: tuple[str, ...] = ()
    """Earlier looks at these results that the intervals do not pay for, one line a number of seeds or plan."""
    gaps: tuple[str, ...] = ()
    """What could not be shown, and why."""
