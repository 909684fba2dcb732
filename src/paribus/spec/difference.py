"""What differs between two experiments: the fields, and the source where a field's value stands for code."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
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
    diffs: dict[tuple[int, int], str] = {}  # a field and the group that it is in may stand for the same code
    for path, values in _differing(before.config, after.config):
        left, right = (
            one.lab.implementation(path, value) if one.lab.implementation is not None else None
            for one, value in zip((before, after), values, strict=True)
        )
        if left is right or left is None or right is None:
            continue
        old, new = (inspect.getsource(part).splitlines(keepends=True) for part in (left, right))  # type: ignore[arg-type]
        old_name, new_name = (f"{part.__module__}.{part.__name__}" for part in (left, right))  # type: ignore[attr-defined]
        diffs[id(left), id(right)] = "".join(difflib.unified_diff(old, new, old_name, new_name))
    return "\n".join(diffs.values())


def _differing(before: Any, after: Any, prefix: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield what differs, each group of fields and then the fields in it, by dotted path, with both values."""
    for field in fields(before):
        left, right = getattr(before, field.name), getattr(after, field.name)
        if left == right:
            continue
        yield f"{prefix}{field.name}", (left, right)
        if type(left) is type(right) and is_dataclass(left):
            yield from _differing(left, right, f"{prefix}{field.name}.")
