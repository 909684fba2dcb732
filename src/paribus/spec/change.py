"""A change: the smallest named difference between two configurations.

A change names one field, the value it expects there and the value it puts there. It never overwrites anything else:
where the field holds another value it fails and says so, so two changes of one field cannot silently hide each other.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paribus.errors import ChangeError

LONGEST = 60
"""Characters of a value that a message repeats."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A named, documented difference: the field at *path* goes from *before* to *after*.

    A change with a parameter (``lp_pool=4``) gives ``parameter``, which reads the text after the equals sign
    (``int``, ``float``, ``str``, ...), and an ``after`` that is a function from that value to the field's new value.

    Args:
        name: lower-case words joined by underscores; a segment of an experiment's name.
        doc: one sentence: what differs and why one would try it.
        path: the field, dotted where configurations nest (``budget.steps``).
        before: the value that the field must hold; a tuple of alternatives is given as :class:`OneOf`.
        after: the value that the field gets, or a function of the parameter.
        parameter: how to read the parameter; ``None`` where there is none.
    """

    name: str
    doc: str
    path: str
    before: Any
    after: Any
    parameter: Callable[[str], Any] | None = None

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name or "=" in self.name or self.name != self.name.strip():
            raise ChangeError(f"change name {self.name!r}: use a word without '/', '=' or surrounding spaces")
        if self.parameter is not None and not callable(self.after):
            raise ChangeError(f"change {self.name!r} takes a parameter, so its 'after' must be a function of it")

    @property
    def takes_text(self) -> bool:
        """Whether the parameter is any text, such as the path of a folder, which may hold slashes of its own."""
        return self.parameter is str

    def bind(self, text: str | None) -> Edit:
        """Return the edit that this change makes with the parameter written as *text*."""
        if self.parameter is None:
            if text is not None:
                raise ChangeError(f"change {self.name!r} takes no parameter, but {self.name}={text} gives one")
            return Edit(segment=self.name, change=self, after=self.after)
        if text is None or text == "":
            raise ChangeError(f"change {self.name!r} needs a parameter: write {self.name}=VALUE")
        try:
            value = self.parameter(text)
        except (ValueError, TypeError) as error:
            said = str(error) or type(error).__name__  # a reader that is no type says itself what it expects
            if isinstance(self.parameter, type):
                said = f"{text!r} is not a valid {self.parameter.__name__} ({said})"
            raise ChangeError(f"{self.name}={text}: {said}") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise ChangeError(f"{self.name}={text}: the parameter must be a finite number")
        shown = text if isinstance(value, str) else spell(value)
        try:
            after = self.after(value)
        except Exception as error:  # a lab's own function, and its own kinds of error
            raise ChangeError(f"{self.name}={text}: {error or type(error).__name__}") from None
        return Edit(segment=f"{self.name}={shown}", change=self, after=after)

    def expects(self, value: Any) -> bool:
        """Return whether *value* is what the field must hold."""
        expected = self.before.values if isinstance(self.before, OneOf) else (self.before,)
        return any(type(value) is type(one) and value == one for one in expected)

    def fits(self, config: Any) -> bool:
        """Return whether *config* has the field, with a value that the change expects."""
        for field in self.path.split("."):
            if not dataclasses.is_dataclass(config) or field not in {f.name for f in dataclasses.fields(config)}:
                return False
            config = getattr(config, field)
        return self.expects(config)


@dataclass(frozen=True)
class OneOf:
    """The values that a change accepts before it: ``before=OneOf((None, 1e-10))``."""

    values: tuple[Any, ...]


def word(*known: str) -> Callable[[str], str]:
    """Return what reads a parameter that is one of the words *known*: ``parameter=word("linear", "log")``."""

    def word(text: str) -> str:
        if text not in known:
            raise ValueError(f"one of {', '.join(known)} is expected")
        return text

    return word


@dataclass(frozen=True)
class Edit:
    """A change with its parameter filled in: one step from a configuration to the next."""

    segment: str
    change: Change
    after: Any

    def apply(self, config: Any) -> Any:
        """Return a copy of *config* with the change made; *config* itself is untouched."""
        return _replace(config, self.change.path.split("."), self)


def spell(value: Any) -> str:
    """Return the one spelling of a parameter's value, so that ``1e-4`` and ``0.0001`` are one name."""
    if isinstance(value, bool | None):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else repr(value)
    return str(value)


def _replace(config: Any, path: list[str], edit: Edit) -> Any:
    field, *rest = path
    if not dataclasses.is_dataclass(config) or field not in {f.name for f in dataclasses.fields(config)}:
        raise ChangeError(f"change {edit.segment!r}: {type(config).__name__} has no field {edit.change.path!r}")
    now = getattr(config, field)
    if rest:
        return _with(config, field, _replace(now, rest, edit), edit)
    if not edit.change.expects(now):
        told = _contradictions(edit.change, now)
        raise ChangeError(f"change {edit.segment!r} does not apply: it expects {told}")
    if type(now) is type(edit.after) and now == edit.after:
        has = "so" if _has_fields(now) else repr(now)
        raise ChangeError(f"change {edit.segment!r} makes no difference: {edit.change.path} is {has} already")
    return _with(config, field, edit.after, edit)


def _with(config: Any, field: str, value: Any, edit: Edit) -> Any:
    """Return *config* with *field* set; what its own checks refuse is an error of the change."""
    try:
        return dataclasses.replace(config, **{field: value})
    except Exception as error:  # a configuration's __post_init__ may raise anything
        raise ChangeError(f"change {edit.segment!r}: {error or type(error).__name__}") from None


def _contradictions(change: Change, now: Any) -> str:
    """Say which value is expected where, and which is there: of a value with fields of its own, those that differ."""
    expected = change.before.values if isinstance(change.before, OneOf) else (change.before,)
    alike = [value for value in expected if _has_fields(value) and type(value) is type(now)]
    differing = min((_differing(change.path, value, now) for value in alike), key=len, default=[])
    if not differing:
        return f"{change.path} = {' or '.join(dict.fromkeys(map(_brief, expected)))}, but it is {_brief(now)}"
    told = [f"{path} = {_brief(wanted)}, but it is {_brief(there)}" for path, wanted, there in differing[:3]]
    more = len(differing) - len(told)
    return "; ".join(told + ([f"{more} more field{'s differ' if more > 1 else ' differs'}"] if more else []))


def _differing(path: str, wanted: Any, there: Any) -> list[tuple[str, Any, Any]]:
    """The innermost fields in which two values of the field *path* differ; those of two classes differ as a whole."""
    if not (_has_fields(wanted) and type(wanted) is type(there)):
        return [(path, wanted, there)]
    fields = [
        (field.name, *(getattr(value, field.name) for value in (wanted, there))) for field in dataclasses.fields(wanted)
    ]
    return [one for name, left, right in fields if left != right for one in _differing(f"{path}.{name}", left, right)]


def _has_fields(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _brief(value: Any) -> str:
    """Return *value* for a line that a person reads: one with fields of its own is called by its class."""
    text = type(value).__name__ if _has_fields(value) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
