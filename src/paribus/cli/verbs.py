"""``paribus LAB VERB ...``: what a lab offers for a user's own files, loaded only when it is called.

A lab names its :class:`typer.Typer` as an entry point of the group ``paribus.verbs``, under the lab's own name. The
help of ``paribus`` shows that name without loading anything behind it. Errors, Ctrl-C and ``--store`` are those of
every other command.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from paribus.cli.options import UnusedStoreUrl
from paribus.errors import ConfigError

GROUP = "paribus.verbs"


class Commands(TyperGroup):
    """The commands of ``paribus``: its own, then a group for each lab that offers verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            if point.name not in self.commands:
                self.add_command(Verbs(point))


class Verbs(TyperGroup):
    """The verbs of one lab: no more than a name until they are called."""

    def __init__(self, point: EntryPoint) -> None:
        short = f"Verbs of the lab {point.name}, for files of your own."
        super().__init__(name=point.name, short_help=short, rich_markup_mode=None)
        self._point = point

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Load the verbs and read *args*; without any, the verbs are shown."""
        shown = args or ([] if extra.get("resilient_parsing") else ["--help"])
        return _load(self._point).make_context(info_name, shown, parent=parent, **extra)


def _load(point: EntryPoint) -> TyperGroup:
    """Return the verbs behind *point*, a group even of one, in the dress of the other commands."""
    try:
        found = point.load()
    except Exception as error:  # somebody's package, and its own kinds of error
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the verbs of lab {point.name!r} cannot be loaded: {reason}") from error
    if not isinstance(found, typer.Typer):
        raise ConfigError(f"entry point {point.name!r} of {GROUP} gives a {type(found).__name__}, not a typer.Typer")
    group = get_group(found)
    group.name = point.name
    for command in _within(group):
        command.rich_markup_mode = None
        if not isinstance(command, TyperGroup) and all("--store" not in param.opts for param in command.params):
            command.params.append(_store_option())
    return group


def _within(command: Any) -> Iterator[Any]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from _within(inner)


def _store_option() -> Any:
    """The option that every command takes; a verb need not say so, and is not told of it."""

    def taken(store: UnusedStoreUrl = None) -> None:
        pass

    own = typer.Typer(add_completion=False)
    own.command()(taken)
    (option,) = get_command(own).params
    option.expose_value = False
    return option
