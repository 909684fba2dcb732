"""The verdict table and the other listings, rendered as a terminal would."""

from __future__ import annotations

import dataclasses
import difflib
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from paribus.analysis.ablation import ablate
from paribus.report import listing
from paribus.report.material import ArmMaterial, Material, NoteLine
from paribus.report.table import verdict_table
from paribus.report.wording import MARKS, answer, price, warnings
from paribus.spec.change import Change
from paribus.spec.difference import FieldDifference
from paribus.spec.finding import Finding
from paribus.spec.lab import Lab

from . import sample

every = pytest.mark.parametrize("make", sample.ALL.values(), ids=sample.ALL)


def text(renderable: RenderableType, width: int = 80) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=False).print(renderable)
    return file.getvalue()


@every
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(make: Callable[[], Material], width: int) -> None:
    lines = text(verdict_table(make()), width).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines), "nothing is cut off"


@every
def test_every_verdict_has_its_word_and_symbol_without_colour(make: Callable[[], Material]) -> None:
    material = make()
    shown = text(verdict_table(material), 120)
    for word, mark in MARKS.items():
        expected = sum(verdict.verdict == word for verdict in material.verdicts)
        rows = [line for line in shown.splitlines() if f"{mark.symbol} {word}" in line[60:]]
        assert len(rows) >= expected


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_are_those_of_the_scores(width: int) -> None:
    material = sample.plain()
    shown = text(verdict_table(material), width)
    control = 100 * np.array(list(material.control.scores.scores.values()))
    for arm in material.arms:
        scores = 100 * np.array(list(arm.scores.scores.values()))
        assert f"{scores.mean():.2f} ± {scores.std(ddof=1):.2f}" in shown
        difference = (scores - control).mean()  # thousandths of an accuracy: the last digit may be a tie
        assert any(f"{difference + tie:+.2f}".replace("-", "−") in shown for tie in (-1e-9, 1e-9))
    assert f"{control.mean():.2f} ± {control.std(ddof=1):.2f}" in shown


def test_the_head_says_what_was_asked_of_which_data() -> None:
    shown = " ".join(text(verdict_table(sample.plain())).split())
    for part in (sample.plain().study.question, "svhn/base", sample.SYNTHETIC, "0.60 points"):
        assert part in shown


def test_markup_in_names_is_shown_and_not_obeyed() -> None:
    shown = text(verdict_table(sample.hostile()), 200)
    assert "[bold red]<script>" in shown
    assert "[red]<script>alert('x')</script>" in shown


def test_warnings_name_what_went_wrong() -> None:
    said = " ".join(warnings(sample.broken()))
    for part in (
        "no_warmup: 5 trials diverged",
        "huge: 5 trials stopped",
        "two/changes is confounded",
        "2 trials ran in",
    ):
        assert part in said
    assert "judged before: at 3 seeds, at 4 seeds" in said
    assert "alpha = 0.05, up to 3 times that" in said
    assert warnings(sample.plain()) == []


def test_looks_under_another_plan_count_for_a_sequential_study_too() -> None:
    planned = dataclasses.replace(sample.plain(), max_seeds=30)
    assert warnings(planned) == []
    (said,) = warnings(dataclasses.replace(planned, looks=("at 5 seeds",)))
    assert "looks at up to 30 seeds, but judged before: at 5 seeds" in said
    assert "up to 2 times" in said
    assert "--until-decided" not in said


def test_the_answer_counts_every_arm_once() -> None:
    material = sample.sixteen()
    counts = {word: sum(v.verdict == word for v in material.verdicts) for word in MARKS}
    for word, count in counts.items():
        assert (f"{count} {word} (" in answer(material)) == (count > 0)


def test_the_price_is_that_of_the_cheapest_open_arm() -> None:
    material = sample.sixteen()
    seeds = min(v.more_seeds for v in material.verdicts if v.verdict == "undecided" and v.more_seeds)
    assert f"about {seeds} more seed" in price(material)
    assert price(sample.one_arm()) == ""


def test_an_arm_chosen_to_be_the_control_has_no_row() -> None:
    material = sample.sixteen()
    assert material.chosen is not None
    kept = dataclasses.replace(
        material, chosen=dataclasses.replace(material.chosen, verdict=None, how="the control is best")
    )
    assert "chosen: lp_pool=inf/relu" in text(verdict_table(material), 120)
    shown = text(verdict_table(kept), 120)
    assert "chosen:" not in shown
    assert "the control is best" in shown


@dataclasses.dataclass(frozen=True)
class Config:
    rate: float = 0.1
    depth: int = 3


LAB = Lab(
    name="demo", question="Does [b]it[/b] help?", baseline=Config(), run=lambda config, context: {},
    studies=(sample.plain().study,),
    changes=(Change(name="fast", doc="Trains faster.", path="rate", before=0.1, after=0.2),),
)  # fmt: skip


def test_labs() -> None:
    shown = text(listing.lab_table([LAB, dataclasses.replace(LAB, name="bare", studies=())]))
    for part in ("demo", "Does [b]it[/b] help?", "svhn.pooling", "paribus compare bare/base ..."):
        assert part in shown


def test_the_tree_shows_each_edge_with_its_effect() -> None:
    verdict = sample.plain().verdicts[0]
    nodes = [
        listing.Node(segments=("svhn",), n=8, mean=0.931, metric="test_accuracy"),
        listing.Node(segments=("svhn", "lp_pool=4"), n=8, mean=0.942, metric="test_accuracy", effect=verdict),
        listing.Node(segments=("svhn", "abs", "wide"), n=2, mean=0.95, metric="test_accuracy", diverged=1),
    ]
    lines = text(listing.name_tree(nodes), 120).splitlines()
    assert lines[0].startswith("svhn  test_accuracy 93.10 % (n = 8)")
    assert [line.strip("│├└─ ") for line in lines if "abs" in line] == ["abs"], "never run itself: no numbers"
    assert any("wide" in line and "1 diverged" in line for line in lines)
    assert any("lp_pool=4" in line and "+1.09 [+0.97, +1.21] (n = 8)" in line for line in lines)
    assert not any(word in line for line in lines for word in MARKS)
    assert "not a study's verdict" in lines[-1]
    assert "not a study" not in text(listing.name_tree(nodes[:1]))
    assert "Nothing has been run" in text(listing.name_tree([]))


def test_fields_and_their_sentences() -> None:
    shown = text(listing.field_table({"rate": 0.1, "name": "x[b]"}, {"rate": "Step size."}))
    assert "Step size." in shown
    assert "'x[b]'" in shown


def test_differences() -> None:
    difference = FieldDifference(path="pool", before=None, after="[red]")
    shown = text(listing.difference_table([difference]))
    for part in ("pool", "None", "'[red]'"):
        assert part in shown
    assert "same experiment" in text(listing.difference_table([]))


lines_of_code = st.lists(st.text("-+@ab ", max_size=5), max_size=12)


@given(lines_of_code, lines_of_code)
def test_the_lines_of_a_diff_are_told_apart(before: list[str], after: list[str]) -> None:
    diff = "\n".join(difflib.unified_diff(before, after, "a", "b", lineterm=""))
    kinds = [(kind, line[1:]) for kind, line in listing.diff_lines(diff)]
    matcher = difflib.SequenceMatcher(None, before, after)
    changed = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    assert [line for kind, line in kinds if kind == "drop"] == [x for _, i, j, _, _ in changed for x in before[i:j]]
    assert [line for kind, line in kinds if kind == "add"] == [x for _, _, _, i, j in changed for x in after[i:j]]


def test_log_and_findings() -> None:
    note = NoteLine(about="svhn/base", text="[b]odd[/b]", author="ada", written=sample.MADE)
    assert "2025-03-14 15:09" in text(listing.log_table([note]))
    assert "[b]odd[/b]" in text(listing.log_table([note]))
    findings = [
        Finding(check="duplicates", level="warning", value="3 of 100", meaning="Remove them."),
        Finding(check="range", level="ok", value="0 to 1", meaning="As it should be."),
    ]
    shown = text(listing.finding_table(findings))
    assert "!" in shown
    assert "3 of 100" in shown
    assert listing.found(findings) == "2 checks, 1 warning."
    assert listing.found(findings[1:]) == "1 check, all well."


def test_a_branch_of_the_tree_breaks_between_its_parts_only() -> None:
    verdict = sample.plain().verdicts[0]
    effect = dataclasses.replace(verdict, difference=-0.0123, low=-0.0222, high=-0.0024, n=12)
    for width in range(50, 90):
        deep = ("labs/one.py", "momentum=0.9", "rate=0.01")
        node = listing.Node(segments=deep, n=12, mean=0.931, metric="loss", effect=effect)
        shown = text(listing.name_tree([node]), width)
        assert "−0.0123 [−0.0222, −0.0024] (n = 12)" in shown
        assert "loss 0.9310 (n = 12)" in shown
        assert max(map(len, shown.splitlines())) <= width


def test_each_row_has_the_digits_of_its_own_spread() -> None:
    rng = np.random.default_rng(0)
    seeds = range(6)
    control = {seed: 0.2 + 0.01 * float(rng.normal()) for seed in seeds}
    study = dataclasses.replace(sample.plain().study, metric="loss", direction="min")
    arms = []
    for name, step, noise in (("near", 0.05, 0.01), ("far", 40.0, 30.0)):
        values = {seed: score + step + noise * float(rng.normal()) for seed, score in control.items()}
        arms.append(sample.scores(name, values, rng, examples=False))
    base = sample.scores("base", control, rng, examples=False)
    verdicts = sample.verdicts(study, base, arms)
    near = verdicts[0]
    material = dataclasses.replace(
        sample.plain(),
        study=study,
        control=ArmMaterial(name="base", label="base", scores=base),
        arms=tuple(ArmMaterial(name=arm.name, label=arm.name, scores=arm) for arm in arms),
        verdicts=verdicts,
    )
    shown = text(verdict_table(material), 120).replace("−", "-")
    assert f"[{near.low:+.3f}, {near.high:+.3f}]" in shown
    assert f"{near.mean:.4f} ± {near.sd:.4f}" in shown or f"{near.mean:.3f} ± {near.sd:.3f}" in shown
    rows = ablate(arms[0], {"a": base, "b": arms[1]}, direction="min", margin=0.0, alpha=0.05)
    assert f"{near.control_mean:.3f} → {near.mean:.3f}" in text(listing.ablation_table("x/a/b", "loss", rows))


def test_ablation() -> None:
    material = sample.plain()
    rows = ablate(
        material.arms[0].scores,
        {"lp_pool": material.control.scores, "wide": material.arms[3].scores},
        direction="max",
        margin=0.0,
        alpha=0.05,
    )
    shown = text(listing.ablation_table("svhn/lp_pool/wide", "test_accuracy", rows))
    assert "+1.09" in shown
    assert "93.10 → 94.19" in shown
    assert shown.index("wide ") < shown.index("lp_pool "), "the largest contribution first"


def test_metrics_beside_and_agreement_of_judges_have_tables_of_their_own() -> None:
    shown = text(verdict_table(sample.optimised()))
    lines = shown.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("means, not judged"))
    assert lines[start].split()[-2:] == ["ssim", "judged_distance"]
    material = sample.optimised()
    for line, arm in zip(lines[start + 2 :], (material.control, *material.arms), strict=False):
        ssim, distance = (np.mean(list(arm.metrics[metric].values())) for metric in material.study.beside)
        label, first, second = line.split()
        assert label == arm.label
        assert float(first) == pytest.approx(ssim, abs=0.006)
        assert float(second) == pytest.approx(distance, abs=0.006)
    assert re.search(r"nearness +1\.00 \[0\.\d\d, 1\.00\] +0\.00\d+ +base, layer=conv1_1", shown)
    assert "not judged" not in text(verdict_table(sample.plain()))
