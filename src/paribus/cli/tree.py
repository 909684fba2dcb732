"""``paribus tree [LAB]``: the experiments run so far as a tree of names, and what each change did."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import StoreUrl


def tree(
    lab: Annotated[str | None, typer.Argument(metavar="LAB", help="Only this lab; with its changes on offer.")] = None,
    store: StoreUrl = None,
) -> None:
    """Show the experiments run so far, with what each change did.

    They are a tree of names. Of a lab that is named, the changes on offer follow.
    """
    from rich.text import Text

    from paribus.cli.offer import offer
    from paribus.cli.reading import reading
    from paribus.cli.terminal import out, say
    from paribus.errors import ParibusError
    from paribus.lineage import lineage
    from paribus.report.listing import name_tree
    from paribus.spec import registry

    console = out()
    if lab is not None:
        registry.lab(lab)  # of a name that is none, nothing else is said
    with reading(store) as opened:
        run = sorted({record.lab for record in opened.trials()}) if opened is not None else []
        names = [lab] if lab is not None else run
        for name in names:
            try:
                found = registry.lab(name)
            except ParibusError as error:
                if lab is not None:
                    raise
                say(f"lab {name} is left out: {error}")
                continue
            grown = lineage(found, opened) if opened is not None else None
            if grown is not None and grown.nodes:
                console.print(name_tree(grown.nodes))
                if grown.older:
                    console.print(Text(f"{found.name} has other code now than when this was measured.", "yellow"))
                if grown.others:
                    console.print(Text(f"{grown.others} trials of other code, device or threads are left out.", "dim"))
            elif lab is not None:
                console.print(Text(f"Nothing of {found.name} has been run yet.", "dim"))
            if lab is not None:
                console.print()
                console.print(offer(found))
    if not names:
        console.print(name_tree([]))
        labs = ", ".join(registry.lab_names())
        console.print(Text(f"What a lab offers: paribus tree LAB, with one of {labs}, or a file of your own.", "dim"))
