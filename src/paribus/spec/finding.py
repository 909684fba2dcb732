"""A finding: one thing that a diagnostic looked at, what it saw, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of ``paribus check``.

    Args:
        check: what was looked at, e.g. ``duplicates across train and test``.
        level: ``ok``, ``note`` or ``warning``.
        value: what was seen, with its number and unit.
        meaning: one sentence: what it means for an experiment, and what to do.
    """

    check: str
    level: Literal["ok", "note", "warning"]
    value: str
    meaning: str
