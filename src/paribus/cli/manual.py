"""The manual's pages of the commands, from the commands' own help: ``python -m paribus.cli.manual docs/cli.md``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from typer.main import get_command

MARK = "<!-- What follows is written by `python -m paribus.cli.manual docs/cli.md`. -->\n"


def pages() -> str:
    """Return the help of every command, 80 columns wide, as Markdown."""
    from paribus.cli import app

    return "\n".join(_pages(get_command(app), ()))


def renewed(text: str) -> str:
    """Return the manual *text* with the part after the mark written anew."""
    return text.partition(MARK)[0] + MARK + "\n" + pages()


def _pages(command: Any, above: tuple[Any, ...]) -> list[str]:
    parent = above[-1] if above else None
    name = command.name if parent is not None else "paribus"
    context = command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=80)
    found = [f"## {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```\n"]
    for inner in getattr(context.command, "commands", {}).values():  # of a lab's verbs, the command now loaded
        found += _pages(inner, (*above, context))
    return found


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text()))
