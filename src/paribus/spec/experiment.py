"""An experiment: a lab's baseline with zero or more changes made to it. An immutable value without a seed.

Its name is its program: ``svhn/abs_max/lp_pool=4`` parses to the experiment, and the experiment prints as that name.
Its identity is the hash of what it will run, the lab and the whole configuration: the order of changes is no part
of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import PurePath
from typing import Any

from paribus.errors import ChangeError, ConfigError, UnknownName, suggest
from paribus.spec.change import Edit
from paribus.spec.lab import Lab


@dataclass(frozen=True)
class Experiment:
    """A lab's baseline and the changes made to it, in the order in which they were written."""

    lab: Lab
    edits: tuple[Edit, ...]

    @cached_property
    def config(self) -> Any:
        """The configuration: the baseline with every change applied."""
        return _applied(self.edits, self.lab.baseline)

    @property
    def changes(self) -> tuple[str, ...]:
        """The changes as they are written in the name."""
        return tuple(edit.segment for edit in self.edits)

    @cached_property
    def name(self) -> str:
        """The name that parses to this experiment; what takes any text stands last, for a path goes on where it can."""
        last = tuple(sorted(self.edits, key=lambda edit: edit.change.takes_text))
        edits = last if last == self.edits or self._is_given_by(last) else self.edits
        return "/".join((self.lab.name, *([edit.segment for edit in edits] or ["base"])))

    def _is_given_by(self, edits: tuple[Edit, ...]) -> bool:
        try:
            return bool(_applied(edits, self.lab.baseline) == self.config)
        except ChangeError:  # one edit expects what another has put there
            return False

    @cached_property
    def hash(self) -> str:
        """The content hash: 16 hexadecimal digits of SHA-256 over the lab and the configuration."""
        lab = self.lab.name.rsplit("/", 1)[-1]
        return hashlib.sha256(f"{lab}\n{canonical(self.config)}".encode()).hexdigest()[:16]

    def without(self, segment: str) -> Experiment:
        """Return the experiment that lacks the change written as *segment*."""
        return Experiment(self.lab, tuple(edit for edit in self.edits if edit.segment != segment))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __str__(self) -> str:
        return self.name


def _applied(edits: tuple[Edit, ...], config: Any) -> Any:
    for edit in edits:
        config = edit.apply(config)
    return config


def build(lab: Lab, segments: tuple[str, ...]) -> Experiment:
    """Return the experiment of *lab* with the changes written as *segments*; ``base`` stands for no change."""
    edits = []
    for segment in segments:
        if segment == "base":
            continue
        name, equals, text = segment.partition("=")
        change = lab.change(name)
        if change is None:
            near = suggest(name, [change.name for change in lab.changes])
            kinds = {field.name: field.type for field in dataclasses.fields(lab.baseline)}
            if name in kinds:
                kind = getattr(kinds[name], "__name__", kinds[name]) if isinstance(kinds[name], type) else kinds[name]
                near = f": write a Change for its field {name!r} ({kind})"
            raise UnknownName(f"lab {lab.name!r} has no change {name!r}{near}")
        edits.append(change.bind(text if equals else None))
    experiment = Experiment(lab, tuple(edits))
    _ = experiment.hash  # a change that does not apply is an error of the name, so it is found here
    return experiment


def plain(value: Any, path: str = "the configuration") -> Any:
    """Return *value*, a configuration or a field of one, as JSON's own types; a dataclass says its class.

    Raises:
        ConfigError: a value has no one text that is the same in every process, an array or a lambda say; such a value
            has no identity, so an experiment with it would have none.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {"type": type(value).__name__, **{name: plain(getattr(value, name), name) for name in names}}
    if isinstance(value, list | tuple):
        return [plain(item, path) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item, path) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, bool | int | float | str | None):
        return value
    if callable(value) and "<" not in getattr(value, "__qualname__", "<"):
        return value.__qualname__
    raise ConfigError(
        f"{path} holds a {type(value).__name__}; use numbers, text, tuples, enums, paths, named functions or "
        "dataclasses of these, and build the rest in run()"
    )


def canonical(config: Any) -> str:
    """Return the one JSON text of *config*, keys sorted: what is hashed."""
    return json.dumps(plain(config), sort_keys=True, separators=(",", ":"))


def flatten(config: Any, prefix: str = "") -> dict[str, Any]:
    """Return *config* as ``{dotted path: value}``, for tables and differences."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value, path = getattr(config, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            flat[path] = type(value).__name__
            flat.update(flatten(value, f"{path}."))
        else:
            flat[path] = value
    return flat


def declared_changes(control: Experiment, arm: Experiment) -> tuple[str, ...]:
    """Return the changes that *arm* and *control* do not share: more than one makes the comparison confounded."""
    before, after = list(control.changes), list(arm.changes)
    for segment in list(before):
        if segment in after:
            before.remove(segment)
            after.remove(segment)
    added = {segment.partition("=")[0] for segment in after}
    return tuple(after) + tuple(segment for segment in before if segment.partition("=")[0] not in added)
