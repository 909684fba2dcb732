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


@pytest.mark.parametrize("seeds", ["other", "none", "index"])
def test_arms_without_shared_seeds_are_judged_unpaired(cli: Cli, folder: Path, seeds: str) -> None:
    rows = [(arm, seed + 10 * (arm == "big"), value) for arm, seed, value in _rows()][:-1]
    text = _long(rows)
    if seeds != "other":
        kept = [line.split(",")[::2] for line in text.splitlines()]
        if seeds == "index":
            kept = [["" if not place else str(place), *line] for place, line in enumerate(kept)]
        text = "".join(",".join(line) + "\n" for line in kept)
    (folder / "runs.csv").write_text(text)
    options = ["analyze", "runs.csv", "--control", "base", "--metric", "accuracy"]
    if seeds != "other":
        refused = cli(*options)
        assert refused.code == 2
        assert "--seed-column none to judge unpaired" in refused.error
        options += ["--seed-column", "none"]
    done = cli(*options, "--json", "-")
    (arm,) = done.json["arms"]
    expected = stats.ttest_ind(ARM[:-1], CONTROL, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (arm["n"], arm["seeds"], arm["correlation"]) == (4, [], None)
    assert (arm["p_value"], arm["low"], arm["high"]) == pytest.approx((expected.pvalue, interval.low, interval.high))
    assert arm["mean"] == pytest.approx(np.mean(ARM[:-1]))
    assert arm["control_mean"] == pytest.approx(np.mean(CONTROL))
    assert "unpaired, by Welch's t" in arm["sentence"]
    assert "shares no seeds with 'base': judged unpaired" in done.err
    shown = " ".join(cli(*options).out.split())
    assert "unpaired" in shown
    assert "first interval" not in shown


def test_columns_that_are_not_found_are_named_with_their_options(cli: Cli, folder: Path) -> None:
    (folder / "runs.csv").write_text(_long(_rows()))
    asked = cli("analyze", "runs.csv", "--control", "base", "--metric", "acc").error
    assert "did you mean 'accuracy'" in asked
    assert "seed" not in asked
    (folder / "bare.csv").write_text("kind,score\nbase,1\nbig,2\n")
    assert "--arm-column" in cli("analyze", "bare.csv", "--control", "base").error


def test_accuracies_in_percent_are_in_points_everywhere(cli: Cli, folder: Path) -> None:
    (folder / "hundred.csv").write_text(_long([(arm, seed, 100 * float(str(value))) for arm, seed, value in _rows()]))
    shown = " ".join(cli("analyze", "hundred.csv", "--control", "base", "--margin", "0.5").out.split())
    assert "differences under 0.5 points do not matter" in shown
    assert "better by 3.2 points" in shown


def test_missing_seeds_and_divergence_are_said(cli: Cli, folder: Path) -> None:
    rows = [row for row in _rows() if row[:2] != ("big", 1)]
    rows = [(arm, seed, "nan" if (arm, seed) == ("big", 2) else value) for arm, seed, value in rows]
    (folder / "runs.csv").write_text(_long(rows))
    done = cli("analyze", "runs.csv", "--control", "base", "--metric", "accuracy", "--json", "-")
    (arm,) = done.json["arms"]
    assert (arm["seeds"], arm["diverged"]) == ([0, 3, 4], 1)
    assert "left out: 1" in done.err
    assert "diverged on 1 of 4" in done.err


def test_a_name_that_only_the_user_gives_is_said_to_be_one(cli: Cli, folder: Path) -> None:
    wide = "seed,base,big\n" + "".join(
        f"{seed},{a},{b}\n" for seed, (a, b) in enumerate(zip(CONTROL, ARM, strict=True))
    )
    (folder / "wide.csv").write_text(wide)
    shown = " ".join(cli("analyze", "wide.csv", "--control", "base", "--metric", "nonsense").out.split())
    assert "which does not say what it measures: called nonsense by --metric" in shown
    assert "by --metric" not in cli("analyze", "wide.csv", "--control", "base").out


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


def test_a_margin_that_no_share_can_reach_is_refused_with_the_unit(cli: Cli, folder: Path) -> None:
    (folder / "runs.csv").write_text(_long(_rows()))
    refused = cli("analyze", "runs.csv", "--control", "base", "--margin", "1")
    assert (refused.code, refused.out) == (2, "")
    assert refused.error == "the margin 1 is 100 points, for accuracy is a share: 0.01 is one point"
    assert cli("analyze", "runs.csv", "--control", "base", "--margin", "0.99").code == 0
    (folder / "percent.csv").write_text(_long([(arm, seed, 100 * float(str(value))) for arm, seed, value in _rows()]))
    assert cli("analyze", "percent.csv", "--control", "base", "--margin", "1").code == 0
    (folder / "other.csv").write_text(_long(_rows()).replace("accuracy", "points"))
    assert cli("analyze", "other.csv", "--control", "base", "--margin", "1").code == 0


def test_a_run_with_such_a_margin_is_refused_before_it_where_the_store_knows_the_unit(cli: Cli) -> None:
    command = ("compare", "my_lab.py/base", "my_lab.py/trick", "--seeds", "3", "--margin", "1.0")
    first = cli(*command)
    assert (first.code, first.out) == (2, "")
    assert "0.01 is one point" in first.error
    assert "[6/6]" in first.err, "nothing was known of the unit"
    again = cli("compare", "my_lab.py/base", "my_lab.py/double", "--seeds", "3", "--margin", "1")
    assert "0.01 is one point" in again.error
    assert "[1/" not in again.err
    assert cli(*command[:-1], "0.01").code == 0
    assert cli(*command, "--metric", "loss").code == 0
