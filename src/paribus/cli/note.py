"""``paribus note NAME "..."``: a line of one's own in the work log."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import StoreUrl


def note(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An experiment, a study or a lab.", show_default=False)],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember, in quotes.", show_default=False)],
    store: StoreUrl = None,
) -> None:
    """Add a line of your own to the work log."""
    from rich.text import Text

    from paribus.cli.naming import subject
    from paribus.cli.terminal import out
    from paribus.errors import ConfigError
    from paribus.store import Store

    about = subject(name, store)
    if not text.strip():
        raise ConfigError(f"the note about {about} is empty: write what to remember, in quotes")
    with Store.open(store) as opened:
        opened.add_note(about, text.strip(), "person")
    out().print(Text(f"Noted about {about}."))
