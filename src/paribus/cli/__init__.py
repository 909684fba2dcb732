"""The command line: one command a file, each of which loads what it needs when it is called."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

import paribus
from paribus.cli import ablate, alias, analyze, check, compare, data, diff, labs, log, note, report, run, show, tree
from paribus.cli.terminal import one_line, say
from paribus.cli.verbs import Commands
from paribus.errors import ParibusError

app = typer.Typer(
    name="paribus",
    cls=Commands,
    help="I changed one thing. Did it help? Controlled experiments in deep learning, with honest verdicts.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    labs.labs,
    tree.tree,
    run.run,
    compare.compare,
    ablate.ablate,
    show.show,
    diff.diff,
    check.check,
    log.log,
    note.note,
    alias.alias,
    report.report,
    analyze.analyze,
):
    app.command()(command)
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        print(f"paribus {paribus.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with *arguments*, by default the process's own, and return the exit code.

    Whatever a user can cause or mend becomes one line on standard error; a bug keeps its traceback.
    """
    try:
        code = app(arguments, prog_name="paribus", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except ParibusError as error:
        say(f"error: {one_line(str(error))}")
        return error.exit_code
    except TyperException as error:
        say(f"error: {_usage(error)}")
        return 2
    except (BrokenPipeError, SystemExit) as ending:
        broken = ending if isinstance(ending, BrokenPipeError) else ending.__context__  # Typer exits on a broken pipe
        if not (isinstance(broken, BrokenPipeError) and _reader_is_gone()):
            raise
        # The reader has what it wanted. What is still buffered goes nowhere, or Python would complain at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        if error.errno is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}")
        return 1


def _reader_is_gone() -> bool:
    """Whether nobody reads standard output any more: a pipe to a worker may break too, and that is no success."""
    if not hasattr(select, "poll"):
        return True
    output = select.poll()
    output.register(1, 0)
    return any(event & select.POLLERR for _, event in output.poll(0))


def _usage(error: TyperException) -> str:
    """Return what is wrong with the command that was typed, and where to read how it is typed."""
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context is not None else ""
    return one_line(error.format_message()).rstrip(".") + hint
