"""What differs between two experiments: the fields, and the source where a field's value stands for code."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import Any

from paribus.spec.experiment import Experiment, flatten


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """A field of the configuration in which two experiments hold different values; ``None`` where one lacks it."""

    path: str
    before: Any
    after: Any


def field_differences(before: Experiment, after: Experiment) -> tuple[FieldDifference, ...]:
    """Return the fields that differ, by their dotted paths, in the order of the configuration."""
    return config_differences(before.config, after.config)


def config_differences(before: Any, after: Any) -> tuple[FieldDifference, ...]:
    """Return the fields in which two configurations differ, by their dotted paths, in their order."""
    left, right = flatten(before), flatten(after)
    paths = [*left, *(path for path in right if path not in left)]
    return tuple(
        FieldDifference(path=path, before=left.get(path), after=right.get(path))
        for path in paths
        if (path in left) != (path in right) or left.get(path) != right.get(path)
    )


def source_difference(before: Experiment, after: Experiment) -> str:
    """Return a unified diff of the code that the differing fields stand for; empty where no code differs.

    The lab says which code a value stands for (:attr:`Lab.implementation`); to ask it may load the code's modules.
    """
    diffs: list[str] = []
    for path in _branches(before.config, after.config):
        left, right = (_implementation(experiment, path) for experiment in (before, after))
        if left is right or left is None or right is None:
            continue
        old, new = (inspect.getsource(part).splitlines(keepends=True) for part in (left, right))
        old_name, new_name = (f"{part.__module__}.{part.__qualname__}" for part in (left, right))
        diffs.append("".join(difflib.unified_diff(old, new, old_name, new_name)))
    return "\n".join(diffs)


def _branches(before: Any, after: Any) -> list[str]:
    """The top-level fields that differ."""
    fields = list(getattr(before, "__dataclass_fields__", {}))
    return [name for name in fields if getattr(before, name) != getattr(after, name, None)]


def _implementation(experiment: Experiment, path: str) -> Any:
    find = experiment.lab.implementation
    return find(path, getattr(experiment.config, path, None)) if find is not None else None
