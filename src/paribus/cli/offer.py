"""The changes that a lab offers, each with its sentence."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from paribus.spec.lab import Lab


def offer(lab: Lab) -> RenderableType:
    """Return the changes of *lab* as names are made of them."""
    heading = Text.assemble(("Changes on offer in ", "bold"), (lab.name, "bold"), (f"  {lab.name}/CHANGE/...", "dim"))
    changes = Table.grid(padding=(0, 2, 0, 0))
    changes.add_column(overflow="fold", max_width=28)
    changes.add_column(overflow="fold")
    for change in lab.changes:
        name = f"{change.name}=..." if change.parameter is not None else change.name
        changes.add_row(Text(name), Text(change.doc, "dim"))
    return Group(heading, Padding(changes, (0, 0, 0, 2)))
