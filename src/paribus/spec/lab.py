"""A lab: one topic, with a baseline configuration, its named changes, its studies and the function that runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.errors import ConfigError
from paribus.spec.change import Change
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.spec.study import Direction, Study, usual_direction


@dataclass(frozen=True)
class Pictures:
    """Test examples of a lab, for a report to show: images (N, H, W, C), their labels (N,), the names of classes."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Base:
    """What a study stands on where the user names no base: an experiment's name, and why it is this one, in words."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One topic of experiments.

    Args:
        name: the lab's word in experiments' names; for a user's file, the path as it was written.
        question: the question that the lab is about.
        baseline: a frozen dataclass whose fields all have values: the experiment without changes.
        run: ``run(config, context) -> metrics``; it imports what is heavy inside.
        changes: the named differences.
        studies: the questions worth asking.
        metric: the metric that decides where no study says otherwise.
        direction: whether more or less of it is better; by default what its name suggests.
        papers: sources, ``Author (year), "Title"``.
        default_base: which base a study stands on where none is named; ``None`` for the baseline.
        implementation: ``(path, value) -> object``: the code that the value of a field, or of a group of fields, stands
            for, for ``diff`` to show; None where it stands for none.
        pictures: ``(config, indices) -> Pictures``: test examples, for the report.
        check: ``(config, context) -> findings``: the lab's diagnostics.
        contact_sheet: ``config -> (H, W, 3) uint8``: a look at the data.
        data_in_words: ``config -> str``: what the data is, and whether it is real or synthetic.
        network_in_words: ``config -> str``: which fixed network looks at the data, with the digest of its weights
            where that is at hand. Two networks look at the same data, so it is no part of the words for that.
        warm: modules that a worker may import before its first trial, to save that time in each.
        source: the files and folders whose code decides the results; their digest is part of a trial's identity. What
            only names experiments, asks questions or checks need not be among them.
        data_editions: what decides the data beside that code and the configuration, in words: versions of libraries
            that draw it, a mark of files that are not the published ones. It enters the digest, so it is cheap and
            needs no torch.
    """

    name: str
    question: str
    baseline: Any
    run: Callable[[Any, Context], Mapping[str, float]]
    changes: tuple[Change, ...] = ()
    studies: tuple[Study, ...] = ()
    metric: str = "accuracy"
    direction: Direction = None  # type: ignore[assignment]  # filled in below, so that readers always find one
    papers: tuple[str, ...] = ()
    default_base: Callable[[], Base] | None = None
    implementation: Callable[[str, Any], object | None] | None = None
    pictures: Callable[[Any, Sequence[int]], Pictures] | None = None
    check: Callable[[Any, Context], Iterable[Finding]] | None = None
    contact_sheet: Callable[[Any], NDArray[np.uint8]] | None = None
    data_in_words: Callable[[Any], str] | None = None
    network_in_words: Callable[[Any], str] | None = None
    warm: tuple[str, ...] = ()
    source: tuple[Path, ...] = ()
    data_editions: Callable[[], Iterable[str]] | None = None

    def __post_init__(self) -> None:
        if self.direction is None:
            object.__setattr__(self, "direction", usual_direction(self.metric))
        params = getattr(type(self.baseline), "__dataclass_params__", None)
        if params is None or isinstance(self.baseline, type) or not params.frozen:
            raise ConfigError(f"lab {self.name!r}: the baseline must be an instance of a frozen dataclass")
        _refuse_signature(self.name, self.run)
        seen: set[str] = set()
        for change in self.changes:
            if change.name in seen or change.name == "base":
                raise ConfigError(f"lab {self.name!r}: change name {change.name!r} is taken")
            seen.add(change.name)

    @property
    def whole_name(self) -> str:
        """The name; of a user's file the whole path, which tells two files of one name apart."""
        return str(Path(self.name).expanduser().resolve()) if self.name.endswith(".py") else self.name

    def change(self, name: str) -> Change | None:
        """Return the change called *name*, or ``None``."""
        return next((change for change in self.changes if change.name == name), None)


def _refuse_signature(name: str, run: Callable[..., Any]) -> None:
    """Raise where *run* cannot be called with a configuration and a context, and say where it stands."""
    try:
        signature = inspect.signature(run)
    except (TypeError, ValueError):  # a function without one, of an extension say
        return
    try:
        signature.bind(None, None)
    except TypeError:
        code = getattr(inspect.unwrap(run), "__code__", None)
        where = f"{_short(Path(code.co_filename))}, line {code.co_firstlineno}" if code is not None else f"lab {name!r}"
        called = getattr(run, "__name__", "run")
        raise ConfigError(f"{where}: {called}{signature} cannot be called as run(config, context)") from None


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
