"""Whether two experiments share their test examples: fields called data, then the lab's words, then the benefit of the
doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from paribus.spec.experiment import build
from paribus.spec.field_change import field_changes
from paribus.spec.lab import Lab
from paribus.spec.same_examples import same_examples


@dataclass(frozen=True)
class Plain:
    corpus: str = "a"
    rate: float = 0.1


@dataclass(frozen=True)
class WithData:
    data: str = "a"
    rate: float = 0.1


@dataclass(frozen=True)
class Nested:
    dataset: Plain = field(default_factory=Plain)
    rate: float = 0.1


def never(config: Any) -> str:
    raise AssertionError("equal fields called data are enough")


def corpus(config: Any) -> str:
    return f"the corpus {config.corpus}"


def broken(config: Any) -> str:
    raise OSError("the files are on another machine")


def alike(baseline: Any, change: str, words: Any = None) -> bool:
    lab = Lab(
        name="toy",
        question="?",
        baseline=baseline,
        run=lambda config, context: {"accuracy": 1.0},
        changes=field_changes(baseline),
        data_in_words=words,
    )
    return same_examples(build(lab, ()), build(lab, (change,)))


@pytest.mark.parametrize(
    ("baseline", "change", "words", "expected"),
    [
        (WithData(), "rate=0.3", None, True),
        (WithData(), "rate=0.3", never, True),
        (WithData(), "data=b", None, False),
        (WithData(), "data=b", broken, False),
        (WithData(), "data=b", lambda config: "both train alone differently", True),
        (Nested(), "rate=0.3", never, True),
        (Plain(), "corpus=b", corpus, False),
        (Plain(), "rate=0.3", corpus, True),
        (Plain(), "rate=0.3", broken, True),
        (Plain(), "corpus=b", None, True),
    ],
)
def test_what_is_known_decides(baseline: Any, change: str, words: Any, expected: bool) -> None:
    assert alike(baseline, change, words) is expected


def test_a_nested_field_of_data_counts() -> None:
    labs = [
        Lab(name="toy", question="?", baseline=Nested(dataset=Plain(corpus=name)), run=lambda config, context: {})
        for name in ("a", "b")
    ]
    assert not same_examples(*(build(lab, ()) for lab in labs))
