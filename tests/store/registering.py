"""Trials that are in a store as they are when they start: claimed by a conductor that is gone by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paribus.spec.trial import Trial
from paribus.store import Store


def register(store: Store, trials: Sequence[Trial], environment: Mapping[str, Any] | None = None) -> None:
    with store.conductor() as name:
        for trial in trials:
            store.claim(trial, name, environment or {})
