"""Whatever a person can cause is one line that says what is wrong, where, and what would be right."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from paribus.cli import main
from paribus.store import Store

from .conftest import LAB, Cli


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "svnh.softmax"], ["'svnh'", "'svhn'"]),
        (["run", "svhn.sofmax"], ["'sofmax'", "'softmax'"]),
        (["run", "svhn"], ["LAB.STUDY", "svhn."]),
        (["run", "my_lab.py"], ["LAB.STUDY", "my_lab.py.rate or my_lab.py.diverging"]),
        (["note", "my_lab", "x"], ["my_lab.py", "ending"]),
        (["report", "my_lab.py.rate", "--store", "mistyped.sqlite"], ["no store", "mistyped.sqlite"]),
        (["run", "my_lab.rate"], ["my_lab.py"]),
        (["show", "svhn/abs_mx"], ["'abs_mx'", "'abs_max'"]),
        (["show", "my_lab.py/rate"], ["rate=VALUE"]),
        (["show", "my_lab.py/rate=fast"], ["'fast'", "float"]),
        (["show", "my_lab.py/half"], ["half", "steps = 40", "20"]),
        (["show", "my_lab.py//trick"], ["empty segment"]),
        (["show", "other.py/base"], ["no file 'other.py'"]),
        (["show", "SVHN/abs_max"], ["did you mean 'svhn'"]),
        (["show", "svhn.softmax"], ["is a study", "paribus run svhn.softmax", "svhn/base"]),
        (["show", "my_lab.py.rate"], ["is a study", "paribus run my_lab.py.rate", "my_lab.py/base"]),
        (["show", "my_lab.py.rte"], ["no study 'rte'", "'rate'"]),
        (["report", "my_lab.py.compare"], ["command paribus compare that made it writes its report again"]),
        (["run", "svhn.ablate"], ["command paribus ablate that made it"]),
        (["diff", "my_lab.py/base", "my_lab.py/trik"], ["'trik'", "'trick'"]),
        (["tree", "svnh"], ["'svhn'"]),
        (["check", "svnh"], ["'svhn'"]),
        (["log", "my_lab.py/trik"], ["'trick'"]),
        (["compare", "my_lab.py/base", "my_lab.py/base"], ["same experiment"]),
        (["data", "get", "svnh"], ["'svhn'"]),
        (["data", "add", "svhn", "nowhere"], ["nowhere", "folder"]),
        (["tree", "--store", "mysql://host/db"], ["postgresql://"]),
    ],
)
def test_bad_input_is_one_line_and_code_2(cli: Cli, arguments: list[str], words: list[str]) -> None:
    refused = cli(*arguments)
    assert refused.code == 2
    assert refused.out == ""
    for word in words:
        assert word in refused.error
    assert len(refused.err.splitlines()) == 1


def test_a_lab_with_a_syntax_error_names_its_line(cli: Cli, folder: Path) -> None:
    (folder / "broken.py").write_text("x = 1\ny = (\n")
    assert "broken.py, line 2" in cli("show", "broken.py/base").error
    (folder / "raising.py").write_text("1 / 0\n")
    assert "ZeroDivisionError" in cli("show", "raising.py/base").error


BROKEN = """
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Config:
    how: str = "well"


def run(config, context):
    noise = context.streams.generator("noise").normal()
    results = {"well": {"loss": noise}, "array": {"loss": np.ones(2)}, "nothing": {}, "none": None,
               "other": {"los": noise}}
    if config.how == "raises":
        inner()
    if config.how == "library":
        np.ones((2, 3)) @ np.ones(4)
    return results[config.how]


def inner():
    raise ValueError("I forgot something\\nsecond line of it")
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raises", "ValueError: I forgot something second line of it (broken.py:24)"),
        ("library", "(broken.py:19)"),
        ("array", "'loss' has the shape (2,)"),
        ("nothing", "one or more; it returned {}"),
        ("none", "it returned a NoneType"),
    ],
)
def test_a_failure_says_what_and_where_in_one_line(cli: Cli, folder: Path, how: str, said: str) -> None:
    (folder / "broken.py").write_text(BROKEN)
    arm = f"broken.py/how={how}"
    failed = cli("compare", "broken.py/base", arm, "--metric", "loss", "--seeds", "3")
    assert failed.code == 1
    assert said in failed.error
    assert any(line.startswith("[") and said in line for line in failed.err.splitlines()), "while it runs too"
    assert "first interval" not in failed.out, "more seeds would fail too"
    assert "mend the error" in " ".join(failed.out.split())
    told = cli("log", arm).out
    traceback = how in ("raises", "library")
    assert ("shows the traceback" in failed.error) == ("Traceback (most recent call last)" in told) == traceback
    assert told.count("Traceback") <= 1, "the same one of three seeds once"
    if how == "raises":
        assert "in inner" in told
        assert "Traceback" not in cli("log").out
        assert said in cli("compare", arm, "broken.py/how=library", "--metric", "loss", "--seeds", "1").error


def test_the_page_has_the_traceback_once(whole_cli: Cli, folder: Path) -> None:
    (folder / "broken.py").write_text(BROKEN)
    names = ("broken.py/base", "broken.py/how=raises")
    assert whole_cli("compare", *names, "--metric", "loss", "--seeds", "3", "--report", "page.html").code == 1
    page = (folder / "page.html").read_text()
    assert page.count("I forgot something second line of it (broken.py:24)") == 3
    assert page.count("in inner") == page.count("<summary>Traceback</summary>") == 1


def test_a_metric_that_an_arm_does_not_measure_names_the_arm(cli: Cli, folder: Path) -> None:
    (folder / "broken.py").write_text(BROKEN)
    lacking = cli("compare", "broken.py/base", "broken.py/how=other", "--metric", "loss", "--seeds", "1").error
    assert lacking.startswith("broken.py/how=other does not measure 'loss' — did you mean 'los'?")
    assert "--metric" in cli("compare", "broken.py/base", "broken.py/how=other", "--seeds", "1").error
    again = cli("compare", "broken.py/base", "broken.py/how=other", "--metric", "loss", "--seeds", "1").error
    assert again == lacking, "from the store too"


def test_a_metric_that_is_no_number_fails_the_trial(cli: Cli, folder: Path) -> None:
    (folder / "odd.py").write_text(LAB.replace('"accuracy": accuracy', '"accuracy": "high"'))
    failed = cli("compare", "odd.py/base", "odd.py/trick", "--seeds", "1")
    assert failed.code == 1
    assert "'accuracy' is 'high'" in failed.error


def test_stores_that_cannot_be_used(cli: Cli, folder: Path) -> None:
    (folder / "text.sqlite").write_text("not a database, but long enough to be read as one" * 20)
    assert "no SQLite database" in cli("tree", "--store", "text.sqlite").error
    assert "folder" in cli("tree", "--store", ".").error
    assert cli("alias", "best", "my_lab.py/trick", "--store", "/proc/nowhere/store.sqlite").code == 2
    with Store.open("newer.sqlite"):
        pass
    with sqlite3.connect("newer.sqlite") as connection:
        connection.execute("UPDATE migrations SET number = number + 100")
    connection.close()
    assert "newer Paribus" in cli("run", "my_lab.py.rate", "--store", "newer.sqlite").error


def test_a_file_that_cannot_be_written_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "page.html")

    monkeypatch.setattr("paribus.report.page.write_page", full)
    done = cli("run", "my_lab.py.rate", "--seeds", "1")
    assert done.code == 1
    assert done.error == "page.html: No space left on device"
    assert "rate=0.3" in done.out


def test_a_bug_keeps_its_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("paribus.cli.naming.find", broken)
    with pytest.raises(ZeroDivisionError):
        main(["show", "my_lab.py/base"])
