"""``paribus show NAME``: an experiment's configuration."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import StoreUrl


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An experiment, e.g. svhn/abs_max.", show_default=False)],
    store: StoreUrl = None,
) -> None:
    """Show an experiment: its changes and its configuration."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from paribus.cli.naming import find
    from paribus.cli.terminal import out
    from paribus.report.listing import field_table, fields_of
    from paribus.spec.difference import config_differences
    from paribus.spec.experiment import flatten

    experiment = find(name, store)
    lab, console = experiment.lab, out()
    console.print(Text.assemble((experiment.name, "bold"), (f"  {experiment.hash}", "dim")))
    console.print(Text(lab.question))
    changes = Table.grid(padding=(0, 2, 0, 0))
    changes.add_column(no_wrap=True)
    changes.add_column(overflow="fold")
    config = lab.baseline
    for edit in experiment.edits:
        before, config = config, edit.apply(config)
        changes.add_row(Text(edit.segment, "bold"), Text(edit.change.doc))
        for one in config_differences(before, config):
            changes.add_row("", Text(f"{one.path}: {one.before!r} -> {one.after!r}", "dim"))
    if experiment.edits:
        console.print(Padding(changes, (0, 0, 0, 2)))
    console.print()
    console.print(field_table(flatten(experiment.config), fields_of(experiment.config)))
