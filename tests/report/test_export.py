"""The JSON contract."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from paribus.report.export import to_json
from paribus.report.material import Material

from . import sample

TOP = ["study", "question", "control", "metric", "margin", "alpha", "environment", "arms"]
ARM = [
    "name", "n", "mean", "sd", "control_mean", "difference", "low", "high", "p_value", "adjusted_p", "verdict",
    "diverged", "confounded", "seeds",
]  # fmt: skip


@pytest.mark.parametrize("make", sample.ALL.values(), ids=sample.ALL)
def test_the_promised_keys_come_first_and_nothing_is_nan(make: Callable[[], Material]) -> None:
    material = make()
    exported = json.loads(json.dumps(to_json(material), allow_nan=False))
    assert list(exported)[: len(TOP)] == TOP
    assert [arm["name"] for arm in exported["arms"]] == list(material.study.arms)
    for arm, verdict in zip(exported["arms"], material.verdicts, strict=True):
        assert list(arm)[: len(ARM)] == ARM
        assert arm["n"] == verdict.n == len(arm["seeds"])
        assert arm["verdict"] == verdict.verdict
        if verdict.n:
            assert arm["difference"] == verdict.difference


def test_numbers_that_do_not_exist_are_null() -> None:
    arm = to_json(sample.one_seed())["arms"][0]
    assert arm["sd"] is None
    assert arm["low"] is None
    assert arm["mean"] is not None


def test_the_chosen_arm_follows() -> None:
    chosen = to_json(sample.sixteen())["chosen"]
    assert chosen["name"] == "svhn/lp_pool=inf/relu"
    assert "valid_accuracy" in chosen["how"]
    assert to_json(sample.plain())["chosen"] is None


def test_what_stands_beside_and_how_judges_agree_follow() -> None:
    material = sample.optimised()
    exported = to_json(material)
    for arm in (material.control, *material.arms):
        expected = sum(arm.metrics["ssim"].values()) / 4
        assert exported["beside"]["ssim"][arm.name] == pytest.approx(expected)
    (agreement,) = exported["agreement"]
    assert agreement["measure"] == "nearness"
    assert agreement["w"] == 1.0
    assert agreement["order"][0] == material.control.label
    assert to_json(sample.plain())["beside"] == {}
