"""The digest of a lab's code: what is part of a trial's identity, and what may be edited without a rerun."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

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


def test_what_a_used_part_uses_counts(tmp_path: Path) -> None:
    loop = source._shared_digest(frozenset({source._SHARED / "train" / "loop.py"}))
    assert source._SHARED / "train" / "checkpoint.py" in set(source._imported(source._SHARED / "train" / "loop.py"))
    both = source._shared_digest(frozenset(source._SHARED / "train" / f"{part}.py" for part in ("loop", "checkpoint")))
    assert loop == both
