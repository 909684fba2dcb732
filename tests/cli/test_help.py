"""What the command line says of itself: quickly, of every command, and in the manual too."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.main import get_command

import paribus
from paribus.cli import app
from paribus.cli.manual import renewed

from .conftest import Cli

MANUAL = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = {
    "labs", "tree", "run", "compare", "ablate", "show", "diff", "check", "log", "note", "alias", "report", "analyze",
    "data",
}  # fmt: skip


def _leaves(command: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [path]
    return [leaf for name, one in inner.items() for leaf in _leaves(one, (*path, name))]


@pytest.mark.parametrize("arguments", [["--help"], ["labs"], ["run", "--help"]])
def test_neither_help_nor_labs_loads_what_is_heavy(arguments: list[str]) -> None:
    code = f"import sys; from paribus.cli import main; main({arguments}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"torch", "matplotlib", "sqlalchemy", "ray", "cv2", "sklearn", "jinja2"}
    assert "paribus.cli" in loaded
    assert not loaded & (heavy if "labs" in arguments else heavy | {"scipy", "numpy"})


def test_help_lists_every_command_in_80_columns(cli: Cli) -> None:
    shown = cli("--help")
    assert shown.code == 0
    labs = {point.name for point in entry_points(group="paribus.verbs")}
    assert {line.split()[0] for line in shown.out.partition("Commands:\n")[2].splitlines()} == COMMANDS | labs
    assert "..." not in shown.out.partition("Commands:\n")[2]
    assert max(map(len, shown.out.splitlines())) <= 80
    assert cli().out == shown.out


@pytest.mark.parametrize("path", _leaves(get_command(app)), ids=" ".join)
def test_every_command_takes_a_store_and_has_help(cli: Cli, path: tuple[str, ...]) -> None:
    shown = cli(*path, "--help")
    assert shown.code == 0
    assert "--store URL" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"paribus {paribus.__version__}\n"


def test_the_manual_is_what_help_says() -> None:
    text = MANUAL.read_text()
    assert text == renewed(text), "run: python -m paribus.cli.manual docs/cli.md"


def test_a_wrong_option_or_command_is_one_line(cli: Cli) -> None:
    option = cli("run", "svhn.softmax", "--sseds", "3")
    assert (option.code, option.out) == (2, "")
    assert "--sseds" in option.error
    assert "--seeds" in option.error
    assert "paribus run --help" in option.error
    command = cli("rum")
    assert command.code == 2
    assert "'run'" in command.error
    assert cli("compare", "my_lab.py/base").code == 2
    assert cli("run", "my_lab.py.rate", "--seeds", "0").code == 2
