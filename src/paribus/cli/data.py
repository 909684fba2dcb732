"""``paribus data``: the data sets, which of them are here, and how to get the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli.options import UnusedStoreUrl

app = typer.Typer(
    help="List, download or add data sets.\n\n"
    "They lie in the folder that PARIBUS_DATA names, or else in `data` in your data folder.",
    rich_markup_mode=None,
)


@app.command("list")
def list_(store: UnusedStoreUrl = None) -> None:
    """List the data sets: what each is, whether it is here, and its licence."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from paribus.cli.terminal import out
    from paribus.data.catalogue import describe

    console = out()
    for entry in describe():
        state = ("here", "green") if entry.present else ("not here", "yellow")
        size = f", {_size(entry.size)}" if entry.size else ""
        console.print(Text.assemble((entry.name, "bold"), "  ", state, (size, "dim")))
        facts = Table.grid(padding=(0, 2, 0, 0))
        facts.add_column(style="dim", no_wrap=True)
        facts.add_column(overflow="fold")
        facts.add_row("what", Text(entry.what))
        facts.add_row("licence", Text(entry.licence))
        facts.add_row("where" if entry.present else "get it", Text(entry.where))
        console.print(Padding(facts, (0, 0, 1, 2)))


@app.command()
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name.", show_default=False)],
    extra: Annotated[bool, typer.Option("--extra", help="Also svhn's 531,131 extra training crops (1.3 GB).")] = False,
    store: UnusedStoreUrl = None,
) -> None:
    """Download a data set, check it, and convert it; interrupted, the same command goes on."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
    from rich.text import Text

    from paribus.cli.terminal import err, out
    from paribus.data import catalogue

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    tasks: dict[str, TaskID] = {}
    progress = Progress(*columns, console=err())

    def show(file: str, here: int, total: int | None) -> None:
        if file not in tasks:
            progress.start()
            tasks[file] = progress.add_task(file, total=total)
        progress.update(tasks[file], completed=here, total=total)

    try:
        catalogue.get(name, show, extra=extra)
    finally:
        if tasks:
            progress.stop()
    out().print(Text(f"{name} is here{', its extra crops too' if extra else ''}."))


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set's name.", show_default=False)],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with its files.", show_default=False)],
    store: UnusedStoreUrl = None,
) -> None:
    """Use the files of a data set that you already have; they are read, not moved."""
    from rich.text import Text

    from paribus.cli.terminal import out
    from paribus.data import catalogue

    along = catalogue.add(name, folder)
    other = catalogue.not_as_published(name)
    out().print(Text(f"{name} is here{f', {along} too' if along else ''}{f'; {other}' if other else ''}."))


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
