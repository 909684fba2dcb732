"""Results made elsewhere, judged: the numbers are SciPy's, the errors name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from .conftest import Cli

CONTROL = [0.80, 0.81, 0.79, 0.83, 0.80]
ARM = [0.83, 0.85, 0.81, 0.86, 0.84]


def _long(rows: list[tuple[str, object, object]]) -> str:
    return "arm,seed,accuracy\n" + "".join(f"{arm},{seed},{value}\n" for arm, seed, value in rows)


def _rows() -> list[tuple[str, object, object]]:
    return [(name, seed, value) for name, row in (("base", CONTROL), ("big", ARM)) for seed, value in enumerate(row)]


def test_the_interval_is_that_of_the_paired_t_test(cli: Cli, folder: Path) -> None:
    (folder / "runs.csv").write_text(_long(_rows()))
    verdicts = cli("analyze", "runs.csv", "--control", "base", "--metric", "accuracy", "--json", "-").json
    (arm,) = verdicts["arms"]
    expected = stats.ttest_rel(ARM, CONTROL)
    interval = expected.confidence_interval(0.95)
    assert (arm["name"], arm["n"], arm["verdict"]) == ("big", 5, "better")
    assert arm["difference"] == pytest.approx(np.mean(ARM) - np.mean(CONTROL))
    assert (arm["low"], arm["high"]) == pytest.approx((interval.low, interval.high))
    assert arm["p_value"] == pytest.approx(expected.pvalue)
    shown = cli("analyze", "runs.csv", "--control", "base")
    assert "✓ better" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert not (folder / "reports").exists()


def test_margin_alpha_direction_and_columns(cli: Cli, folder: Path) -> None:
    text = _long(_rows()).replace("arm,seed,accuracy", "kind,round,points")
    (folder / "runs.csv").write_text(text)
    options = [
        "--control",
        "base",
        "--metric",
        "points",
        "--arm-column",
        "kind",
        "--seed-column",
        "round",
        "--json",
        "-",
    ]
    worse = cli("analyze", "runs.csv", *options, "--direction", "min").json
    assert worse["arms"][0]["verdict"] == "worse"
    same = cli("analyze", "runs.csv", *options, "--margin", "0.2", "--alpha", "0.01").json
    assert (same["margin"], same["alpha"], same["arms"][0]["verdict"]) == (0.2, 0.01, "equivalent")
    (folder / "loss.csv").write_text(_long(_rows()).replace("accuracy", "test_loss"))
    loss = cli("analyze", "loss.csv", "--control", "base", "--metric", "test_loss", "--json", "-")
    assert loss.json["arms"][0]["verdict"] == "worse"
    assert "less test_loss is taken as better" in loss.err


def test_missing_seeds_and_divergence_are_said(cli: Cli, folder: Path) -> None:
    rows = [row for row in _rows() if row[:2] != ("big", 1)]
    rows = [(arm, seed, "nan" if (arm, seed) == ("big", 2) else value) for arm, seed, value in rows]
    (folder / "runs.csv").write_text(_long(rows))
    done = cli("analyze", "runs.csv", "--control", "base", "--metric", "accuracy", "--json", "-")
    (arm,) = done.json["arms"]
    assert (arm["seeds"], arm["diverged"]) == ([0, 3, 4], 1)
    assert "left out: 1" in done.err
    assert "diverged on 1 of 4" in done.err


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (_long([*_rows(), ("big", 1, 0.8)]), [], ["line 12", "seed 1 already"]),
        (_long([*_rows(), ("big", 9, "good")]), ["--metric", "accuracy"], ["line 12", "'good'"]),
        (_long([*_rows(), ("big", "x", 0.8)]), [], ["line 12", "'x'"]),
        (_long(_rows()), ["--metric", "acuracy"], ["'acuracy'", "'accuracy'"]),
        (_long(_rows()), ["--arm-column", "amr"], ["'amr'", "'arm'"]),
        (_long(_rows()), ["--margin", "-1"], ["margin"]),
        (_long(_rows()), ["--alpha", "2"], ["alpha"]),
        (_long(_rows()), ["--direction", "up"], ["max", "min"]),
        ("", [], ["not a table"]),
    ],
)
def test_tables_that_cannot_be_judged(cli: Cli, folder: Path, text: str, options: list[str], words: list[str]) -> None:
    (folder / "runs.csv").write_text(text)
    refused = cli("analyze", "runs.csv", "--control", "base", *options)
    assert (refused.code, refused.out) == (2, "")
    for word in words:
        assert word in refused.error


def test_the_control_and_the_file_must_be_there(cli: Cli, folder: Path) -> None:
    (folder / "runs.csv").write_text(_long(_rows()))
    assert "'base'" in cli("analyze", "runs.csv", "--control", "bse").error
    assert "nowhere.csv" in cli("analyze", "nowhere.csv", "--control", "base").error
    assert "--control" in cli("analyze", "runs.csv").error
