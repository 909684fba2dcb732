"""What the README and the tutorial show is run, as it stands there."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paribus.cli import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]
FENCE = re.compile(r"<!-- (?P<kind>run|file|python)(?:: (?P<name>\S+))? -->\n```\w+\n(?P<body>.*?)```", re.DOTALL)


def blocks(page: str) -> list[tuple[str, str | None, str]]:
    text = (ROOT / page).read_text()
    return [(found["kind"], found["name"], found["body"]) for found in FENCE.finditer(text)]


def test_the_build_without_cuda_is_the_one_that_make_keeps() -> None:
    named = re.findall(r"^(torch(?:vision)?==\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert len(named) == 2
    assert (
        f"pip install {' '.join(named)} --index-url https://download.pytorch.org/whl/cpu"
        in (ROOT / "README.md").read_text()
    )


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARIBUS_STORE", str(tmp_path / "store.sqlite"))


def command(line: str) -> str:
    program, *arguments = shlex.split(line)
    assert program == "paribus"
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, f"{line}\n{done.output}"
    return done.output


def test_the_readmes_example_runs() -> None:
    ((_, name, body),) = blocks("README.md")
    assert name is not None
    assert len([line for line in body.splitlines() if line.strip()]) <= 12
    Path(name).write_text(body)
    (line,) = re.findall(r"^    (paribus compare my_lab.py.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    output = command(line)
    assert "rate=0.3" in output
    assert "worse" in output


def test_the_tutorial_runs_from_top_to_bottom() -> None:
    printed = io.StringIO()
    for kind, name, body in blocks("docs/tutorial.md"):
        if kind == "file" and name is not None:
            Path(name).write_text(body)
        elif kind == "run":
            for line in body.splitlines():
                command(line.removeprefix("$ "))
        else:
            with contextlib.redirect_stdout(printed):
                exec(compile(body, "tutorial", "exec"), {})
    assert "better" in printed.getvalue()
    assert Path("reports").exists()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"
