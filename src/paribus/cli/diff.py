"""``paribus diff A B``: the least that tells two experiments apart."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import StoreUrl


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="An experiment.", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="B", help="Another of the same lab.", show_default=False)],
    store: StoreUrl = None,
) -> None:
    """Show what differs between two experiments.

    The fields, and the source where code differs.
    """
    from paribus.cli.naming import find
    from paribus.cli.terminal import out
    from paribus.errors import ConfigError
    from paribus.report.listing import coloured, difference_table
    from paribus.spec.difference import field_differences, source_difference

    left, right = find(before, store), find(after, store)
    if left.lab.name != right.lab.name:
        raise ConfigError(f"{left} and {right} belong to different labs: name two experiments of one lab")
    console = out()
    console.print(difference_table(field_differences(left, right)))
    lines = coloured(source_difference(left, right))
    if lines:
        console.print()
        console.print(*lines, sep="\n", soft_wrap=True)
