"""``paribus report STUDY``: the page of a study again, from what the store holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli import options


def report(
    context: typer.Context,
    study: Annotated[str, typer.Argument(metavar="LAB.STUDY", help="A study that was run.", show_default=False)],
    base: options.BaseName = None,
    file: Annotated[
        Path | None,
        typer.Option("--out", "--report", metavar="FILE", help="Where it goes; by default reports/STUDY.html."),
    ] = None,
    json_file: options.JsonFile = None,
    store: options.StoreUrl = None,
) -> None:
    """Write a study's HTML page from what has been run.

    Nothing runs; the page needs no other file.
    """
    from paribus.cli.files import default_page, prepare
    from paribus.cli.handing import STANDARD_OUTPUT, hand_over
    from paribus.cli.reading import missing
    from paribus.cli.standing import standing
    from paribus.cli.terminal import say
    from paribus.cli.typed import repeating, without_password
    from paribus.errors import StoreError
    from paribus.exhibit import exhibit
    from paribus.revisit import revisit
    from paribus.spec import registry
    from paribus.store import Store

    found = registry.study(study)
    if (absent := missing(store)) is not None:
        raise StoreError(f"there is no store {absent}: paribus run {found.name} makes one, --store names another")
    ground = standing(found, base, store)
    page = prepare(file or default_page(found, ground.base if base is not None else None), "--out")
    if json_file not in (None, STANDARD_OUTPUT):
        prepare(Path(json_file), "--json")
    given = context.get_parameter_source("store")
    where = ["--store", without_password(store)] if store and given and given.name == "COMMANDLINE" else []
    with Store.open(store) as opened:
        again = revisit(found, opened, base=ground.base)
        if again.caution:
            say(f"note: {again.caution}")
        command = [*repeating(study, again.results), *where]
        material = exhibit(again.results, base_reason=ground.reason, command=command)
        hand_over(material, page, json_file)
