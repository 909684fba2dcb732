"""A small lab without torch, a store of its own, and the command line as a function that gives back what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from paribus.cli import main
from paribus.report.material import Material

LAB = '''"""Does a larger rate help a toy?"""
from dataclasses import dataclass

from paribus import Change, Diverged, Study


@dataclass(frozen=True, kw_only=True)
class Config:
    rate: float = 0.1
    steps: int = 20
    trick: bool = False


changes = (
    Change(name="trick", doc="Adds to the accuracy.", path="trick", before=False, after=True),
    Change(name="double", doc="Twice the steps.", path="steps", before=20, after=40),
    Change(name="half", doc="Half of twice the steps.", path="steps", before=40, after=10),
)


def study(topic, *arms, metric="accuracy", seeds=4):
    return Study(
        name=topic, question=f"Does {topic} help?", control="base", arms=arms, metric=metric, margin=0.01, seeds=seeds
    )


studies = (
    study("rate", "rate=0.3", "trick"),
    study("diverging", "steps=0"),
    study("failing", "steps=-1", seeds=3),
    study("mistyped", "trick", metric="acuracy", seeds=1),
)


def run(config, context):
    print("a lab may print")
    draw, own = (context.streams.generator(name).normal() for name in ("noise", f"own/{config.rate}/{config.trick}"))
    if config.steps == 0:
        raise Diverged("the loss is not finite", step=3)
    if config.steps < 0:
        raise ValueError("steps must not be negative")
    accuracy = 0.8 + 0.5 * (config.rate - 0.1) + 0.02 * config.trick + 0.01 * draw + 0.002 * own
    context.scalars(config.steps, accuracy=accuracy)
    return {"accuracy": accuracy, "loss": 1 - accuracy}
'''


@dataclass(frozen=True)
class Output:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line of an error: it is the last of standard error, and alone."""
        lines = self.err.splitlines()
        assert [line for line in lines if line.startswith("error: ")] == lines[-1:], self.err
        assert "Traceback" not in self.err
        return lines[-1].removeprefix("error: ")


Cli = Callable[..., Output]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in, with a lab in ``my_lab.py``."""
    (tmp_path / "my_lab.py").write_text(LAB)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARIBUS_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def cli(whole_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line as a function of its arguments; pages have no figures, which take a second each."""

    def write_page(material: Material, path: Path) -> None:
        path.write_text(f"{material.study.name} {' '.join(verdict.verdict for verdict in material.verdicts)}")

    monkeypatch.setattr("paribus.report.page.write_page", write_page)
    return whole_cli


@pytest.fixture
def whole_cli(folder: Path, capfd: pytest.CaptureFixture[str]) -> Cli:
    """The command line as a function of its arguments."""

    def call(*arguments: str) -> Output:
        capfd.readouterr()
        code = main(list(arguments))
        written = capfd.readouterr()
        return Output(code, written.out, written.err)

    return call
