"""What the store gives back: plain frozen values, and the JSON text in which it keeps what has no column of its own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np

from paribus.spec.trial import Outcome

Author = Literal["program", "person"]


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One trial as the store knows it.

    Args:
        key: the trial's identity, 24 hexadecimal digits.
        name: the experiment's name.
        hash: the experiment's content hash.
        lab: the lab's name.
        changes: the changes as written in the name.
        config: the whole configuration as JSON's own types.
        seed: the trial's seed.
        device: ``cpu``, ``cuda``, ...
        threads: threads a trial.
        code: the digest of the code that decides the result.
        outcome: ``completed``, ``diverged`` or ``failed``; ``None`` while unfinished.
        metrics: the final metrics.
        seconds: how long its last run took; ``None`` while unfinished.
        message: why it diverged, or the traceback of its failure.
        attempts: how often it was started.
        started: its first start, UTC.
        finished: its end, UTC.
        environment: versions, commit, hardware, as of the last claim.
        done: steps done, of *total*.
        total: steps to do; 0 where the lab has not said.
        conductor: who ran it last, or runs it; ``None`` where nobody has.
    """

    key: str
    name: str
    hash: str
    lab: str
    changes: tuple[str, ...]
    config: dict[str, Any]
    seed: int
    device: str
    threads: int
    code: str
    outcome: Outcome | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    message: str = ""
    attempts: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    environment: dict[str, Any] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    conductor: str | None = None


@dataclass(frozen=True)
class Note:
    """One entry of the work log: *text* about the name *about*, by the program or by a person."""

    about: str
    text: str
    author: Author
    written: datetime


@dataclass(frozen=True)
class Look:
    """One time that verdicts of *study* on *base* were computed, after *seeds* seeds, and what they were."""

    study: str
    base: str
    seeds: int
    summary: dict[str, Any]
    looked: datetime


def to_json(value: Mapping[str, Any]) -> str:
    """Return *value* as JSON text with sorted keys; NumPy's numbers and dataclasses become JSON's own types."""
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return list(value) if isinstance(value, set | frozenset) else str(value)
