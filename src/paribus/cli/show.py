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
    from rich.text import Text

    from paribus.cli.naming import find
    from paribus.cli.terminal import out
    from paribus.report.listing import field_table, fields_of
    from paribus.spec.experiment import flatten

    experiment = find(name, store)
    lab, console = experiment.lab, out()
    console.print(Text.assemble((experiment.name, "bold"), (f"  {experiment.hash}", "dim")))
    console.print(Text(lab.question))
    before, after = flatten(lab.baseline), flatten(experiment.config)
    for edit in experiment.edits:
        path = edit.change.path
        console.print(Text.assemble("  ", (edit.segment, "bold"), f"  {edit.change.doc}"))
        console.print(Text(f"    {path}: {before.get(path)!r} -> {after.get(path)!r}", "dim"))
    console.print()
    console.print(field_table(after, fields_of(experiment.config)))
