"""``paribus log [NAME]``: what was done and found, by the program and by people, the newest last."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli.options import StoreUrl


def log(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only an experiment, a study or a lab.")] = None,
    store: StoreUrl = None,
) -> None:
    """Show the work log, the newest line last.

    The program writes down looks at results and mishaps, people what they think. Of a name, the tracebacks follow.
    Where standard output is no terminal, each entry is one line.
    """
    from rich.text import Text

    from paribus.cli.naming import subject
    from paribus.cli.reading import reading
    from paribus.cli.terminal import out
    from paribus.report.listing import log_lines, log_table
    from paribus.worklog import tracebacks, work_log

    about = subject(name, store) if name is not None else None
    with reading(store) as opened:
        lines = work_log(opened, about) if opened is not None else []
        failures = tracebacks(opened, about) if opened is not None and about is not None else []
    if lines:
        console = out()
        if console.is_terminal:
            console.print(log_table(lines))
        else:
            console.print(Text("\n".join(log_lines(lines))), soft_wrap=True)
        for trial, text in failures:
            out().print(Text.assemble("\n", (trial, "bold"), f"\n{text}"), soft_wrap=True)
    else:
        out().print(Text(f"Nothing is written{f' about {about}' if about else ''} yet.", "dim"))
