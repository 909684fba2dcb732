"""What a lab offers for a user's own files: listed without being loaded, loaded when called, an equal of the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from paribus.cli import app, main
from paribus.cli.files import FileError, keep_apart
from paribus.cli.manual import pages

from .conftest import Cli

VERBS = '''"""The verbs of a lab that other people made."""
from pathlib import Path
from typing import Annotated

import typer

from paribus.errors import DataError

app = typer.Typer(help="Grows things.")


@app.command()
def grow(plant: Annotated[Path, typer.Argument(help="What grows.")], height: int = 3) -> None:
    """Let a plant grow."""
    print(plant.read_text().strip() * height)


@app.command()
def prune(how: str) -> None:
    """Cut a plant."""
    if how == "badly":
        raise DataError("bush.txt: too thin to prune;\\nlet it grow")
    if how == "interrupted":
        raise KeyboardInterrupt
    raise ZeroDivisionError
'''
ALONE = '''
import typer
app = typer.Typer()

@app.command()
def only(word: str) -> None:
    """The one verb there is."""
    print(word)
'''


@pytest.fixture
def labs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installed labs: ``garden`` with two verbs, ``alone`` with one, ``broken``, ``odd``, and one called ``run``."""
    site = folder / "site"
    points = {
        "run": "garden_verbs:app",
        "garden": "garden_verbs:app",
        "alone": "alone_verbs:app",
        "broken": "broken_verbs:app",
        "odd": "garden_verbs:VALUE",
    }
    (site / "plants-1.0.dist-info").mkdir(parents=True)
    (site / "plants-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: plants\nVersion: 1.0\n")
    lines = [f"{name} = {target}\n" for name, target in points.items()]
    (site / "plants-1.0.dist-info" / "entry_points.txt").write_text(f"[paribus.verbs]\n{''.join(lines)}")
    (site / "garden_verbs.py").write_text(f"{VERBS}\nVALUE = 7\n")
    (site / "alone_verbs.py").write_text(ALONE)
    (site / "broken_verbs.py").write_text("import no_such_package\n")
    (folder / "fern.txt").write_text("fern\n")
    monkeypatch.syspath_prepend(str(site))
    for module in ("garden_verbs", "alone_verbs", "broken_verbs"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return site


def test_help_names_the_lab_and_loads_nothing_of_it(labs: Path, cli: Cli) -> None:
    shown = cli("--help")
    assert shown.code == 0
    assert "garden Verbs of the lab garden, for files of your own." in " ".join(shown.out.split())
    assert "  broken " in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert shown.out.count("  run ") == 1, "a lab takes no command's place"
    assert "garden_verbs" not in sys.modules
    code = "import sys; from paribus.cli import main; main(['--help']); print(*sys.modules)"
    path = {"PYTHONPATH": str(labs)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=path)
    assert "  garden " in done.stdout
    assert not {"garden_verbs", "torch", "numpy"} & set(done.stdout.splitlines()[-1].split())


def test_a_lab_alone_shows_its_verbs(labs: Path, cli: Cli) -> None:
    shown = cli("garden")
    assert shown.code == 0
    assert shown.err == ""
    assert shown.out == cli("garden", "--help").out == cli("garden", "-h").out
    assert "Usage: paribus garden" in shown.out
    assert "Grows things." in shown.out
    assert "  grow   Let a plant grow.\n" in shown.out
    assert "╭" not in shown.out
    assert "  only  " in cli("alone").out, "a lab of one verb has it by name too"


def test_a_verb_runs_with_its_arguments(labs: Path, cli: Cli) -> None:
    assert cli("garden", "grow", "fern.txt", "--height", "2").out == "fernfern\n"
    assert cli("alone", "only", "word").out == "word\n"


def test_a_verb_takes_a_store_like_every_command(labs: Path, cli: Cli) -> None:
    assert cli("garden", "grow", "fern.txt", "--store", "other.sqlite").out == "fern" * 3 + "\n"
    shown = cli("garden", "grow", "--help").out
    assert "--store URL" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["garden", "groww"], ["'groww'", "'grow'", "paribus garden --help"]),
        (["gardn"], ["'gardn'", "'garden'"]),
        (["garden", "grow"], ["plant", "paribus garden grow --help"]),
        (["garden", "grow", "fern.txt", "--heigth", "3"], ["--heigth", "--height"]),
        (["garden", "prune", "badly"], ["bush.txt: too thin to prune; let it grow"]),
        (["broken"], ["lab 'broken'", "no_such_package"]),
        (["odd", "grow"], ["'odd'", "int", "typer.Typer"]),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(labs: Path, cli: Cli, arguments: list[str], words: list[str]) -> None:
    refused = cli(*arguments)
    assert refused.code == 2
    assert refused.out == ""
    for word in words:
        assert word in refused.error
    assert len(refused.err.splitlines()) == 1


def test_a_missing_file_and_an_interruption_end_as_elsewhere(labs: Path, cli: Cli) -> None:
    missing = cli("garden", "grow", "moss.txt")
    assert missing.code == 1
    assert missing.error == "moss.txt: No such file or directory"
    assert cli("garden", "prune", "interrupted").code == 130
    with pytest.raises(ZeroDivisionError):
        cli("garden", "prune", "otherwise")


def test_the_manual_has_a_page_for_each_verb(labs: Path, folder: Path) -> None:
    for name in ("broken", "odd"):
        points = labs / "plants-1.0.dist-info" / "entry_points.txt"
        points.write_text("".join(line for line in points.read_text().splitlines(True) if not line.startswith(name)))
    written = pages()
    assert "## paribus garden\n" in written
    assert "## paribus garden grow\n\n```text\nUsage: paribus garden grow" in written
    assert "## paribus alone only\n" in written


def test_installed_verbs_load_without_what_is_heavy(folder: Path) -> None:
    """To read the verbs' help must not take torch: they import it when they compute."""
    names = [name for name, command in get_command(app).commands.items() if type(command).__name__ == "Verbs"]
    code = f"import sys; from paribus.cli import main; [main([name]) for name in {names}]; print(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "matplotlib", "sqlalchemy", "scipy", "cv2"} & set(done.stdout.splitlines()[-1].split())


def test_outputs_are_kept_apart_from_the_picture_and_from_each_other(tmp_path: Path) -> None:
    picture, other = tmp_path / "a.png", tmp_path / "c.png"
    with pytest.raises(FileError, match="overwrite"):
        keep_apart([picture], {"--out": tmp_path / "b" / ".." / "a.png", "--strip": None})
    with pytest.raises(FileError, match="same file"):
        keep_apart([picture], {"--out": other, "--strip": other})
    keep_apart([picture], {"--out": other, "--strip": None})


@pytest.mark.parametrize(
    "asked",
    [
        ("inversion", "invert", "cat.png"),
        ("adversarial", "attack", "cat.png"),
        ("texture", "synthesize", "cat.png"),
        ("texture", "synthesize", "--weights", "gravel"),
        ("texture", "stylize", "cat.png", "--style", "cat.png"),
        ("texture", "stylize", "cat.png", "--style", "cat.png", "--method", "adain"),
        ("texture", "stylize", "cat.png", "--method", "fast", "--weights", "flower"),
    ],
)
def test_a_verb_that_writes_a_png_takes_no_other_name(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save("cat.png")
    assert main([*asked, "--out", "new.jpg"]) == 2
    expected = "error: --out new.jpg: what is written is a .png file; give a name that ends in .png\n"
    assert capsys.readouterr().err == expected
    assert not Path("new.jpg").exists()
