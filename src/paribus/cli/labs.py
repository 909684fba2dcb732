"""``paribus labs``: what there is to run, and the questions that it answers."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import UnusedStoreUrl


def labs(
    name: Annotated[str | None, typer.Argument(metavar="LAB", help="Only this lab; your own file, say.")] = None,
    store: UnusedStoreUrl = None,
) -> None:
    """List the labs, their studies and questions."""
    from rich.text import Text

    from paribus.cli.terminal import out, say
    from paribus.errors import ParibusError
    from paribus.report.listing import lab_table
    from paribus.spec import registry
    from paribus.spec.sound import soundness

    found = []
    for word in [name] if name is not None else registry.lab_names():
        try:
            found.append(registry.lab(word))
        except ParibusError as error:
            if name is not None:
                raise
            say(f"lab {word} is left out: {error}")
    for lab in found:
        for finding in soundness(lab):
            if finding.level == "warning":
                say(f"note: {lab.name}, {finding.check}: {finding.value}")
    console = out()
    console.print(lab_table(found))
    console.print(Text("paribus run STUDY runs one; paribus tree LAB lists a lab's changes.", "dim"))
