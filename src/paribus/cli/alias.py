"""``paribus alias SHORT NAME``: a short word for an exceptional experiment."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import StoreUrl


def alias(
    short: Annotated[
        str | None, typer.Argument(metavar="SHORT", help="The word; without it, the aliases there are.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The experiment that it stands for.")] = None,
    store: StoreUrl = None,
) -> None:
    """Let a short word stand for an experiment."""
    from rich.text import Text

    from paribus.cli.naming import find
    from paribus.cli.reading import reading
    from paribus.cli.terminal import out
    from paribus.errors import ConfigError
    from paribus.spec import registry
    from paribus.store import Store

    console = out()
    if short is None:
        with reading(store) as opened:
            known = opened.aliases() if opened is not None else {}
        for word, meant in known.items():
            console.print(Text.assemble((word, "bold"), f"  {meant}"))
        if not known:
            console.print(Text("No aliases yet: paribus alias SHORT NAME makes one.", "dim"))
        return
    if name is None:
        raise ConfigError(f"{short!r} stands for what? Write paribus alias {short} NAME")
    if short in registry.lab_names() or "." in short or short.split() != [short]:
        raise ConfigError(f"{short!r} cannot be an alias: use one word without dots that is no lab's name")
    experiment = find(name, store)
    with Store.open(store) as opened:
        before = opened.aliases().get(short)
        opened.set_alias(short, experiment.name)
    no_longer = f", no longer for {before}" if before not in (None, experiment.name) else ""
    console.print(Text(f"{short} stands for {experiment.name}{no_longer}"))
