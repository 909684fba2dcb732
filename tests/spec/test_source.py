"""The digest of a lab's code: what is part of a trial's identity, and what may be edited without a rerun."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from paribus.errors import ConfigError
from paribus.spec import source
from paribus.spec.lab import Lab
from paribus.spec.source import digest, own_digest

CODE = """
@dataclass(frozen=True)
class Config:
    rate: float = 0.1

LIMIT = 10

def run(config, context):
    for step in range(LIMIT):
        step += 1
    return {"accuracy": 1.0}

CHANGE = Change(doc="Twice the rate.")
"""


@dataclass(frozen=True)
class Config:
    rate: float = 0.1


def _lab(path: Path, code: str) -> Lab:
    path.write_text(code)
    return Lab(name=str(path), question="?", baseline=Config(), run=lambda config, context: {}, source=(path,))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@dataclass", '"""A lab."""\n@dataclass'),
        ("LIMIT = 10\n", 'LIMIT = 10  # steps\n"""How many steps."""\n'),
        ("    rate: float = 0.1\n", '    rate: float = 0.1\n    """The rate, a share a step."""\n'),
        ("        step += 1\n", '        "Counts."\n        step += 1\n'),
        ("    return", '    """Runs."""\n\n    return'),
    ],
)
def test_words_that_stand_alone_do_not_count(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "lab.py"
    first = own_digest(_lab(path, CODE))
    assert CODE.count(before) == 1
    assert own_digest(_lab(path, CODE.replace(before, after))) == first


@pytest.mark.parametrize(
    ("before", "after"),
    [("0.1", "0.2"), ("LIMIT = 10", "LIMIT = 11"), ("+= 1", "-= 1"), ("Twice the rate.", "Double the rate.")],
)
def test_everything_else_counts(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "lab.py"
    first = own_digest(_lab(path, CODE))
    assert own_digest(_lab(path, CODE.replace(before, after))) != first


def test_what_decides_the_data_counts(tmp_path: Path) -> None:
    lab = _lab(tmp_path / "lab.py", CODE)
    one, same, other = (
        dataclasses.replace(lab, data_editions=lambda edition=edition: (edition,)) for edition in ("a 1", "a 1", "a 2")
    )
    assert own_digest(one) == own_digest(same)
    assert len({digest(lab), digest(one), digest(other)}) == 3
    installed = [dataclasses.replace(each, name="toy") for each in (one, other)]
    assert own_digest(installed[0]) != own_digest(installed[1])


def test_only_the_parts_of_paribus_that_are_used_count(tmp_path: Path) -> None:
    def shared(more: str) -> str:
        return digest(_lab(tmp_path / "lab.py", CODE + more))[8:]

    alone = shared("")
    assert shared("\n\ndef late():\n    from paribus.spec.context import Context\n") == alone
    pooling, losses = (
        shared(f"\n\ndef late():\n    from paribus.nn.{part} import something\n") for part in ("pooling", "losses")
    )
    assert len({alone, pooling, losses}) == 3
    assert shared("\nfrom paribus.nn import pooling\n") == pooling
    both = shared("\nimport paribus.nn.losses\nimport paribus.nn.pooling\n")
    assert both not in (pooling, losses)


def test_what_a_used_part_uses_counts() -> None:
    def file(part: str) -> Path:
        return source._PARIBUS / "train" / f"{part}.py"

    assert file("checkpoint") in set(source._imported_of_paribus(file("loop")))
    both = source._shared_digest(frozenset({file("loop"), file("checkpoint")}))
    assert source._shared_digest(frozenset({file("loop")})) == both


@pytest.mark.parametrize(
    ("line", "changed", "counts"),
    [
        ("import helper", "helper.py", True),
        ("from helper import K", "helper.py", True),
        ("from package.deep import K", "package/deep.py", True),
        ("from package.deep import K", "package/__init__.py", True),
        ("from package.deep import K", "package/far.py", True),
        ("import package", "package/deep.py", False),
        ("import helper", "package/deep.py", False),
        ("import numpy", "helper.py", False),
    ],
)
def test_modules_beside_a_users_file_count_where_it_uses_them(
    tmp_path: Path, line: str, changed: str, counts: bool
) -> None:
    (tmp_path / "package").mkdir()
    for name, text in (
        ("helper.py", "K = 1\n"),
        ("package/__init__.py", ""),
        ("package/deep.py", "from .far import J\nK = 1\n"),
        ("package/far.py", "J = 1\n"),
    ):
        (tmp_path / name).write_text(text)
    lab = _lab(tmp_path / "lab.py", CODE + f"\ndef late():\n    {line}\n")
    before = own_digest(lab)
    (tmp_path / changed).write_text((tmp_path / changed).read_text() + "M = 2\n")
    assert (own_digest(lab) != before) == counts


def test_a_broken_module_beside_a_users_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("K = = 1\n")
    with pytest.raises(ConfigError, match=r"helper\.py, line 1"):
        own_digest(_lab(tmp_path / "lab.py", CODE + "\nimport helper\n"))
