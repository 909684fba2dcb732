"""A trial: one experiment with one seed under recorded conditions, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from paribus.spec.context import Report
from paribus.spec.experiment import Experiment

Outcome = Literal["completed", "diverged", "failed"]


@dataclass(frozen=True)
class Conditions:
    """What is equal in all arms beside the configuration: the device, threads a trial, and a digest of the code."""

    device: str
    threads: int
    code: str


@dataclass(frozen=True)
class Trial:
    """One experiment, one seed, under given conditions."""

    experiment: Experiment
    seed: int
    conditions: Conditions

    @cached_property
    def key(self) -> str:
        """The trial's identity, 24 hexadecimal digits: the same work has the same key, so it is never done twice."""
        parts = (self.experiment.hash, str(self.seed), self.conditions.device, self.conditions.code)
        return hashlib.sha256("\n".join((*parts, str(self.conditions.threads))).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Started:
    """The trial has begun, in process *pid*."""

    pid: int


@dataclass(frozen=True)
class Finished:
    """The trial has ended.

    Args:
        outcome: ``completed``, ``diverged`` (a finding) or ``failed`` (an error).
        metrics: final metrics; for a diverged trial those that are finite.
        seconds: how long its last run took; of a resumed trial, what came after its checkpoint.
        message: in its first line why it diverged or failed; of an exception the traceback follows.
    """

    outcome: Outcome
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""


def reason(message: str) -> str:
    """Return the one line that a trial's *message* begins with: why it diverged or failed."""
    return message.partition("\n")[0]


def traceback_in(message: str) -> str:
    """Return the traceback that a trial's *message* holds; empty where there is none."""
    return message.partition("\n")[2].strip()


def path_in(message: str) -> tuple[str, ...]:
    """Return the path through the code that the traceback in *message* tells of, by which two errors are one."""
    return tuple(line for line in message.splitlines() if line.startswith("  File "))


@dataclass(frozen=True)
class Event:
    """Something that happened to the trial with *key*."""

    key: str
    what: Started | Report | Finished
