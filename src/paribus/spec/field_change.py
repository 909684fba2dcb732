"""The changes that a plain field gives without anyone writing them: ``rate=0.3`` sets ``rate``."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Literal, Union

from paribus.spec.change import Change, spell

Reader = Callable[[str], Any]


def field_changes(config: Any) -> tuple[Change, ...]:
    """Return one parametrised change a field of *config* that holds a plain value.

    A field is read as its annotation says, so ``decay: float = 0`` takes ``decay=0.1``: ``bool``, ``int``, ``float``,
    ``str``, ``Literal`` of these, and any of them ``| None``, where ``none`` is read as ``None``. A field called
    ``base`` gets none, for ``base`` stands for the baseline in a name.
    """
    changes = []
    kinds = _annotations(type(config))
    for field in dataclasses.fields(config):
        value, reader = getattr(config, field.name), _reader(kinds.get(field.name))
        if reader is not None and field.name != "base" and isinstance(value, bool | int | float | str | None):
            doc = f"Sets {field.name} (baseline {value!r})."
            changes.append(
                Change(name=field.name, doc=doc, path=field.name, before=value, after=lambda new: new, parameter=reader)
            )
    return tuple(changes)


def _annotations(config: type) -> dict[str, Any]:
    """The annotations of *config*; of a file whose annotations name what is not there, those that are no text."""
    try:
        return typing.get_type_hints(config)
    except NameError:
        plain = {"bool": bool, "int": int, "float": float, "str": str}
        return {field.name: plain.get(str(field.type), field.type) for field in dataclasses.fields(config)}


def _reader(kind: Any) -> Reader | None:
    """Return what reads a value of the annotation *kind* from text; ``None`` where it is not plain."""
    if kind is bool:
        return read_bool
    if kind in (int, float, str):
        return typing.cast(Reader, kind)
    parts = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return _choice(parts)
    if typing.get_origin(kind) in (Union, UnionType) and len(parts) == 2 and NoneType in parts:
        inner = _reader(parts[0] if parts[1] is NoneType else parts[1])
        return _or_none(inner) if inner is not None else None
    return None


def read_bool(text: str) -> bool:
    """Read ``true`` or ``false``."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise ValueError("true or false is expected")


def _choice(values: tuple[Any, ...]) -> Reader:
    known = {spell(value): value for value in values}

    def choice(text: str) -> Any:
        if text not in known:
            raise ValueError(f"{' or '.join(known)} is expected")
        return known[text]

    return choice


def _or_none(inner: Reader) -> Reader:
    def value_or_none(text: str) -> Any:
        if text.lower() == "none":
            return None
        try:
            return inner(text)
        except ValueError as error:
            words = f"{inner.__name__} is expected" if isinstance(inner, type) else str(error)
            raise ValueError(words.replace(" is expected", " or none is expected")) from None

    return value_or_none
