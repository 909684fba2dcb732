"""Fields that are changes by themselves: what is read from a name, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Optional

import pytest

from paribus.errors import ChangeError, UnknownName
from paribus.spec import registry
from paribus.spec.field_change import field_changes


@dataclass(frozen=True)
class Config:
    mode: Literal["near", "far", 3] = "near"
    limit: int | None = None
    rate: Optional[float] = 0.1  # noqa: UP045 - the older spelling is read too
    kind: Literal["a", "b"] | None = None
    label: str | None = "x"
    trick: bool = False
    widths: tuple[int, ...] = (1, 2)
    either: int | str = 1
    base: int = 3


CHANGES = {change.name: change for change in field_changes(Config())}


@pytest.mark.parametrize(
    ("field", "text", "value", "shown"),
    [
        ("mode", "far", "far", "far"),
        ("mode", "3", 3, "3"),
        ("limit", "12", 12, "12"),
        ("rate", "None", None, "none"),
        ("rate", "3e-1", 0.3, "0.3"),
        ("kind", "b", "b", "b"),
        ("label", "none", None, "none"),
        ("trick", "True", True, "true"),
    ],
)
def test_a_field_is_read_as_its_annotation_says(field: str, text: str, value: object, shown: str) -> None:
    edit = CHANGES[field].bind(text)
    assert getattr(edit.apply(Config()), field) == value
    assert edit.segment == f"{field}={shown}"
    assert getattr(CHANGES[field].bind(shown).apply(Config()), field) == value, "what is shown is read alike"


def test_what_no_text_can_mean_has_no_change() -> None:
    assert CHANGES.keys() == {"mode", "limit", "rate", "kind", "label", "trick"}


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("mode", "away", "near or far or 3 is expected"),
        ("limit", "few", "int or none is expected"),
        ("kind", "c", "a or b or none is expected"),
        ("trick", "yes", "true or false is expected"),
    ],
)
def test_a_value_that_is_not_of_the_field_is_refused(field: str, text: str, said: str) -> None:
    with pytest.raises(ChangeError) as error:
        CHANGES[field].bind(text)
    assert str(error.value) == f"{field}={text}: {said}", "no name of a function of ours"


def test_a_file_says_which_field_needs_a_change(tmp_path: Path) -> None:
    path = tmp_path / "lab.py"
    path.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import Literal\n"
        "@dataclass(frozen=True)\nclass Config:\n    mode: Literal['near', 'far'] = 'near'\n"
        "    widths: tuple[int, ...] = (1,)\n    other: Unheard = 3\n    rate: float = 1\n"
        "def run(config, context):\n    return {}\n"
    )
    with pytest.raises(UnknownName, match=r"write a Change for its field 'widths' \(tuple\[int, \.\.\.\]\)"):
        registry.experiment(f"{path}/widths=3")
    assert registry.experiment(f"{path}/rate=2").config.rate == 2.0, "where one annotation means nothing"
    path.write_text(path.read_text().replace("Unheard", "int"))
    assert registry.experiment(f"{path}/mode=far").config.mode == "far"
