"""From a store to a report's material: what a lab keeps or shows wrongly leaves a gap, and looks are counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from paribus.exhibit import exhibit
from paribus.flow import comparison, conduct
from paribus.report.export import to_json
from paribus.report.material import Material
from paribus.report.wording import warnings
from paribus.run.local import InProcessRunner
from paribus.spec import registry
from paribus.store import Store

LAB = '''"""Do answers flip?"""
from dataclasses import dataclass
import numpy as np
from paribus import Lab, Study, Change
from paribus.spec.field_change import field_changes
from paribus.spec.lab import Pictures

@dataclass(frozen=True)
class Config:
    skill: float = 0.5
    trick: bool = False

def run(config, context):
    draw = context.streams.generator("examples").random(30)
    right = draw < config.skill + 0.2 * config.trick
    predicted = np.where(right, np.arange(30) % 3, (np.arange(30) + 1) % 3)
    seed = context.seed
    image = np.full((2, 4, 6, 3), 10 * seed, np.uint8)
    IMAGES
    context.outcomes("accuracy", right)
    context.artifact("predictions", PREDICTIONS)
    context.artifact("confidence", CONFIDENCE)
    return {"accuracy": float(right.mean()), "other_accuracy": float(right.mean())}

def look(config, indices):
    images = np.zeros((len(indices), 4, 4, 3), np.uint8)
    return PICTURES

changes = [Change(name="trick", doc="More.", path="trick", before=False, after=True)]
study = Study(name="q", question="?", control="base", arms=("trick", "skill=0.9"), metric="accuracy", seeds=4)
LAB = Lab(name="toy", question="?", baseline=Config(), run=run, pictures=look, studies=(study,),
          changes=(*changes, *field_changes(Config())[:1]), data_in_words=lambda config: WORDS,
          network_in_words=lambda config: NETWORK)
'''
GOOD = {
    "PREDICTIONS": "predicted",
    "CONFIDENCE": "draw",
    "PICTURES": "Pictures(images, np.array(indices) % 3, ('ant', 'bee', 'cat'))",
    "WORDS": "'made-up answers'",
    "NETWORK": "''",
    "IMAGES": "pass",
}
KEPT = "context.artifact('strip', image); context.artifact('picture/the result', image[1])"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Store]:
    monkeypatch.chdir(tmp_path)
    with Store.open(str(tmp_path / "store.sqlite")) as opened:
        yield opened


def lab(**parts: str) -> None:
    text = LAB
    for name, code in (GOOD | parts).items():
        text = text.replace(name, code)
    Path("toy.py").write_text(text)


def shown(store: Store, **wishes: Any) -> Material:
    done = conduct(registry.study("toy.py.q"), store=store, runner=InProcessRunner(), **wishes)
    return exhibit(done.results)


def test_what_a_lab_keeps_well_is_shown(store: Store) -> None:
    lab()
    material = shown(store)
    flips = material.arms[0].flips
    assert material.gaps == ()
    assert material.data == "made-up answers"
    assert flips is not None
    assert flips.gained[0].image is not None
    assert {flips.gained[0].control, flips.gained[0].arm} <= {"ant", "bee", "cat"}
    assert material.control.errors is not None
    assert material.control.errors.mistakes[0].confidence is not None


def test_the_networks_that_look_are_named_and_are_no_other_examples(store: Store) -> None:
    lab(NETWORK="'an owl (0123)' if config.trick else 'a cat'")
    material = shown(store)
    assert material.data == "made-up answers; seen by a cat; in trick seen by an owl (0123)"
    assert material.arms[0].flips is not None
    lab(NETWORK="1 / 0", WORDS="''")
    material = shown(store)
    assert material.data == ""
    assert [gap.partition(": ")[2] for gap in material.gaps] == [
        "network_in_words: ZeroDivisionError: division by zero"
    ]


def test_examples_of_another_test_set_do_not_flip(store: Store) -> None:
    lab(WORDS="f'made-up answers of skill {config.skill}'")
    material = shown(store)
    same, other = material.arms
    assert (same.flips is None, other.flips is None) == (False, True)
    assert other.errors is not None
    assert [verdict.generalises for verdict in material.verdicts] == [
        "new seeds and new examples",
        "new seeds, each arm on its own test set",
    ]
    assert "each arm on its own test set" in material.verdicts[1].sentence


@pytest.mark.parametrize(
    "predictions",
    [
        "np.full((30, 3), 1 / 3)",
        "predicted - 1",
        "predicted.astype(float)",
        "right",
        "predicted[: 30 - seed]",
        "predicted if seed % 2 else predicted.astype(float)",
        "predicted[:12]",
        "np.int64(3)",
    ],
)
def test_predictions_of_another_kind_are_left_out(store: Store, predictions: str) -> None:
    lab(PREDICTIONS=predictions)
    material = shown(store, seeds=3)
    flips = material.arms[0].flips
    assert flips is not None
    assert all((flip.control, flip.arm) == ("", "") for flip in flips.gained)
    assert any("predictions" in gap for gap in material.gaps)
    assert len(material.verdicts) == 2


@pytest.mark.parametrize("confidence", ["np.ones((30, 3))", "draw * np.nan", "draw * 100", "-draw"])
def test_confidence_that_is_no_probability_is_left_out(store: Store, confidence: str) -> None:
    lab(CONFIDENCE=confidence)
    material = shown(store, seeds=3)
    assert material.control.errors is not None
    assert {mistake.confidence for mistake in material.control.errors.mistakes} == {None}
    assert any("confidence" in gap for gap in material.gaps)


@pytest.mark.parametrize(
    "broken",
    [
        {"PICTURES": "1 / 0"},
        {"PICTURES": "None"},
        {"PICTURES": "Pictures(images[:1], np.zeros(1, int), ('ant',))"},
        {"PICTURES": "Pictures(images / 255, np.zeros(len(indices), int), ('ant',))"},
        {"PICTURES": "Pictures(images[..., :2], np.zeros(len(indices), int), ('ant',))"},
        {"PICTURES": "Pictures(images, np.ones(len(indices), int), ('ant',))"},
        {"WORDS": "1 / 0"},
    ],
)
def test_a_hook_that_fails_blocks_no_verdict(store: Store, broken: dict[str, str]) -> None:
    lab(**broken)
    material = shown(store, seeds=3)
    assert [verdict.n for verdict in material.verdicts] == [3, 3]
    (gap,) = material.gaps
    assert gap.startswith("toy.py: ")
    assert gap.partition(": ")[2].partition(":")[0] in ("pictures", "data_in_words")


def test_a_missing_artifact_blocks_no_verdict(store: Store) -> None:
    lab()
    before = shown(store, seeds=3)
    for file in (store.folder / "artifacts").rglob("*.npy"):
        file.unlink()
    after = shown(store, seeds=3)
    assert to_json(after) == to_json(before)
    assert any("is missing" in gap for gap in after.gaps)


def test_images_are_those_of_the_first_completed_seed(store: Store) -> None:
    lab()
    assert shown(store, seeds=3).control.images is None
    lab(IMAGES=KEPT)
    images = shown(store, seeds=3).arms[0].images
    assert images is not None
    assert images.strip is not None
    assert (images.seed, images.strip.shape, list(images.pictures)) == (0, (2, 4, 6, 3), ["the result"])
    assert (images.strip == 0).all()
    lab(IMAGES=f"if seed == 0: raise paribus.Diverged('x')\n    {KEPT}".replace("paribus.", "__import__('paribus')."))
    images = shown(store, seeds=3).arms[0].images
    assert images is not None
    assert (images.seed, images.pictures["the result"].max()) == (1, 10)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("context.artifact('strip', image / 255)", "strip: it is float64 of (2, 4, 6, 3); uint8 of (T, H, W, 3)"),
        ("context.artifact('strip', image[0])", "strip: it is uint8 of (4, 6, 3); uint8 of (T, H, W, 3)"),
        ("context.artifact('strip', image[:0])", "strip: it is uint8 of (0, 4, 6, 3)"),
        ("context.artifact('picture/a', image[..., :1])", "picture/a: it is uint8 of (2, 4, 6, 1); uint8 of (H, W, 3)"),
    ],
)
def test_what_is_no_image_is_left_out_and_said(store: Store, kept: str, expected: str) -> None:
    lab(IMAGES=f"{kept}; context.artifact('picture/b', image[0])")
    material = shown(store, seeds=3)
    assert material.control.images is not None
    assert material.control.images.strip is None
    assert list(material.control.images.pictures) == ["b"]
    assert any(expected in gap for gap in material.gaps)
    assert len(material.verdicts) == 2


def looks(material: Material) -> list[str]:
    assert any("judged before" in line for line in warnings(material)) == bool(material.looks)
    return list(material.looks)


def test_a_look_at_fewer_seeds_counts_once_and_a_repetition_not_at_all(store: Store) -> None:
    lab()
    assert looks(shown(store, seeds=2)) == []
    assert looks(shown(store, seeds=3)) == [], "at two seeds nothing could be concluded"
    assert looks(shown(store, seeds=3)) == []
    assert looks(shown(store, seeds=5)) == ["at 3 seeds"]
    assert looks(shown(store, seeds=5)) == ["at 3 seeds"]
    (said,) = [line for line in warnings(shown(store, seeds=6)) if "judged before" in line]
    assert "at 3 seeds, at 5 seeds" in said
    assert "alpha = 0.05, up to 3 times" in said


def test_looks_at_other_code_do_not_count(store: Store) -> None:
    lab()
    shown(store, seeds=3)
    lab(CONFIDENCE="1 - draw")
    assert looks(shown(store, seeds=4)) == []


def test_looks_under_another_plan_are_said(store: Store) -> None:
    lab()
    sequential = shown(store, until_decided=True, max_seeds=5)
    assert looks(sequential) == looks(shown(store, until_decided=True, max_seeds=5)) == []
    seen = max(verdict.n for verdict in sequential.verdicts)
    fixed = shown(store, seeds=6)
    assert looks(fixed) == [f"after every seed up to {seen} (planned 5)"]
    other = looks(shown(store, until_decided=True, max_seeds=7))
    assert other == [f"after every seed up to {seen} (planned 5)", "at 6 seeds"]


def test_comparisons_by_hand_share_a_name_but_not_their_looks(store: Store) -> None:
    lab()

    def compared(arms: list[str], seeds: int, **settings: Any) -> list[str]:
        study = comparison("toy.py/base", arms, **settings)
        return looks(exhibit(conduct(study, store=store, runner=InProcessRunner(), seeds=seeds).results))

    assert compared(["toy.py/trick"], 3) == []
    assert compared(["toy.py/skill=0.9"], 4) == []
    assert compared(["toy.py/trick"], 4, metric="other_accuracy") == []
    assert compared(["toy.py/trick/skill=0.9"], 3) == []
    assert compared(["toy.py/skill=0.9/trick"], 4) == ["at 3 seeds"]
    assert compared(["toy.py/trick"], 5) == ["at 3 seeds"]


def test_a_metric_beside_that_nobody_measures_blocks_no_verdict(store: Store) -> None:
    lab()
    study = dataclasses.replace(
        registry.study("toy.py.q"),
        beside=("other_accuracy", "other_accurracy"),
        judges={"accuracy": ("accuracy", "other_accuracy"), "taste": ("accuracy", "sweetness")},
    )
    material = exhibit(conduct(study, store=store, runner=InProcessRunner()).results)
    assert material.gaps == (
        "other_accurracy: toy.py/base does not measure it — did you mean 'other_accuracy' or 'accuracy'?",
        "taste: no arm measures 'sweetness'; there is: accuracy, other_accuracy",
    )
    (agreement,) = material.agreement
    assert agreement.w == 1.0, "two names of one number"
    assert agreement.seeds == (0, 1, 2, 3)
    means = {arm.label: sum(arm.scores.scores.values()) for arm in (material.control, *material.arms)}
    assert list(agreement.order) == sorted(means, key=means.__getitem__, reverse=True)


def test_trials_of_another_environment_are_counted_with_what_differs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab()
    where = {"processor": "a", "threads_per_trial": 1, "code": "c", "paribus": "1", "paribus_commit": "x"}
    monkeypatch.setattr("paribus.conductor.environment", lambda **_: where)
    shown(store, seeds=3)
    where |= {"paribus_commit": "y", "paribus": "2"}
    material = shown(store, seeds=4)
    assert (material.other_environments, material.environments_differ_in) == (0, ())
    assert material.environment["paribus_commit"] == "x"
    where |= {"processor": "b", "threads_per_trial": 2, "cores": 8}
    material = shown(store, seeds=6)
    assert (material.other_environments, material.environment["processor"]) == (6, "a")
    assert (
        "6 trials ran in another environment than the one shown; it differs in: processor, threads per trial, cores."
        in warnings(material)
    )
