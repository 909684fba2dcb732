"""The SVHN lab: its networks, its data, what arms share, and that an interruption leaves no trace."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from paribus.data.catalogue import add
from paribus.data.inspect import inspect
from paribus.data.split import SPLITS
from paribus.data.svhn import HELD_OUT_SHARE
from paribus.errors import ChangeError, ConfigError, DataError
from paribus.labs.svhn import LAB
from paribus.labs.svhn import check as checks
from paribus.labs.svhn.augment import augmented, warped
from paribus.labs.svhn.data import examples, nested, part, shares, skewed
from paribus.labs.svhn.experiments import (
    BASELINE,
    LABEL_SHARES,
    MODERN,
    TRAINING_PART,
    Affine,
    Augmentation,
    Budget,
    Config,
    LpPool,
    Output,
    Penalty,
    Recipe,
)
from paribus.labs.svhn.implementation import implementation
from paribus.labs.svhn.model import build
from paribus.labs.svhn.run import Trial, run
from paribus.spec.context import Context, Diverged, Progress, Report, Scalars
from paribus.spec.registry import experiment
from paribus.spec.seed import Streams
from paribus.spec.source import own_digest
from paribus.train import loop
from paribus.train.optimizer import SGD
from paribus.train.schedule import Steps

TINY = Budget(steps=6, batch_size=16, train_examples=200, validation_examples=20, test_examples=30)
HANDOUT = Path(sys.modules["paribus.labs.svhn"].__file__ or "").parent / "README.md"
README = " ".join(HANDOUT.read_text().split())
DIGITS = Config(data="digits", budget=TINY)


def test_the_course_network_has_its_size() -> None:
    model = build(BASELINE, 10, Streams(0))
    channels = [3, 16, 32, 32, 64, 64, 128, 128]
    convolutions = sum(9 * a * b for a, b in itertools.pairwise(channels))
    assert sum(p.numel() for p in model.parameters()) == convolutions + 2 * sum(channels[1:]) + 128 * 10 + 10
    assert model.features(torch.zeros(2, 3, 32, 32)).shape == (2, 128)
    assert [name for name, _ in model.named_modules() if name.startswith("pools.")] == ["pools.0", "pools.1", "pools.2"]


def test_the_modern_network_has_under_a_million_parameters() -> None:
    model = build(replace(BASELINE, recipe=MODERN), 10, Streams(0))
    count = sum(p.numel() for p in model.parameters())
    words = f"{count / 1e6:.2f} million parameters"
    assert words in LAB.change("modern").doc  # type: ignore[union-attr]
    assert words in README
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_network_sees_mean_and_variance_only_of_its_batch() -> None:
    """Batch norm after a convolution takes up the input's scale: brightness times two changes nothing much."""
    trial = Trial(replace(DIGITS, precision="float32"), Context(seed=0))
    images = torch.rand(16, 3, 32, 32) * 100
    with torch.no_grad():
        first = trial.model(images)
        second = trial.model(images * 2)
    assert torch.allclose(first, second, atol=1e-3)


@pytest.mark.parametrize(
    "changed",
    [
        {"output": Output(probability="abs_max")},
        {"pool": LpPool(p=4.0, learnt=True)},
        {"multi_stage": True},
        {"recipe": Recipe(augment=Augmentation(invert=0.5))},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_arms_of_one_seed_share_what_the_change_leaves_alone(changed: dict[str, Any]) -> None:
    control, arm = Trial(DIGITS, Context(seed=4)), Trial(replace(DIGITS, **changed), Context(seed=4))
    ours, theirs = dict(control.model.named_parameters()), dict(arm.model.named_parameters())
    common = [name for name in ours if name in theirs and ours[name].shape == theirs[name].shape]
    assert len(common) >= len(ours) - 1
    assert all(torch.equal(ours[name], theirs[name]) for name in common)
    assert all(np.array_equal(control.batches.indices(k), arm.batches.indices(k)) for k in range(20))


def test_an_interrupted_trial_ends_with_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0.0)
    augment = Augmentation(invert=0.5, affine=Affine(), salt_and_pepper=0.05)
    config = replace(DIGITS, mixup=0.3, dropout=0.2, pool=LpPool(p=3.0, learnt=True), recipe=Recipe(augment=augment))
    straight: list[Report] = []
    expected = run(config, Context(seed=2, emit=straight.append))

    class Interrupted(Exception):  # noqa: N818
        pass

    def emit(report: Report) -> None:
        if report == Progress(4, 6):
            raise Interrupted

    with pytest.raises(Interrupted):
        run(config, Context(seed=2, scratch=tmp_path, emit=emit))
    reports: list[Report] = []
    assert run(config, Context(seed=2, scratch=tmp_path, emit=reports.append)) == expected
    assert min(report.step for report in reports if isinstance(report, Scalars)) > 3  # it did go on from the middle


def test_it_learns() -> None:
    budget = Budget(steps=40, batch_size=32, validation_examples=50, test_examples=200)
    assert run(Config(data="digits", budget=budget), Context(seed=0))["test_accuracy"] > 0.9


def test_divergence_is_a_finding() -> None:
    wild = Recipe(schedule=Steps(rates=(1e30,), starts=(0.0,)))
    with pytest.raises(Diverged):
        run(replace(DIGITS, recipe=wild), Context(seed=0))


def test_a_subtracted_penalty_diverges_under_sgd_and_not_under_adam() -> None:
    config = replace(DIGITS, budget=replace(TINY, steps=60), penalty=Penalty(strength=-100.0))
    with pytest.raises(Diverged, match="training loss"):
        run(replace(config, recipe=Recipe(optimizer=SGD())), Context(seed=0))
    assert 1.5 < run(config, Context(seed=0))["weight_growth"] < 10  # Adam's steps are no longer than its rate


def test_the_penalty_enters_the_objective_and_not_the_curve() -> None:
    config = replace(DIGITS, precision="float32", penalty=Penalty(p=2.0, strength=0.01))
    trial = Trial(config, Context(seed=0))
    found = trial.step(0)
    weights = [p for p in trial.model.parameters() if p.ndim >= 2]
    expected = 0.01 * sum(float(w.detach().double().square().sum()) for w in weights)
    assert float(found.objective.detach() - found.shown.detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("shape", LABEL_SHARES)
def test_label_shares_are_exact_and_equal_in_number(shape: str) -> None:
    labels = np.random.default_rng(0).choice(10, 5000, p=np.arange(1, 11) / 55).astype(np.int64)
    rows = {name: skewed(labels, 10, name, Streams(0)) for name in LABEL_SHARES}
    assert len({len(found) for found in rows.values()}) == 1
    found = rows[shape]
    assert len(set(found.tolist())) == len(found) > 900
    order = np.argsort(-np.bincount(labels), kind="stable")
    counts = np.bincount(labels[found], minlength=10)[order]
    assert np.abs(counts - shares(shape, 10) * len(found)).max() < 1
    assert (np.diff(counts) <= 1).all()
    ratio = {"even": 1, "linear": 10, "long_tail": 10, "minority": 10}[shape]
    assert counts[0] / counts[-1] == pytest.approx(ratio, rel=0.05)


@settings(max_examples=30)
@given(st.integers(1, 400), st.floats(0.01, 1), st.floats(0.01, 1))
def test_smaller_training_sets_lie_in_larger_ones(count: int, one: float, other: float) -> None:
    small, large = sorted((one, other))
    rows = np.arange(count)
    inner, outer = (set(nested(rows, fraction, Streams(7)).tolist()) for fraction in (small, large))
    assert inner <= outer
    assert len(outer) == max(1, round(large * count))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *((f"train_images={count}", "a number of images from 1 to 73257") for count in ("100000", "0", "-1", "half")),
        *((f"{name}=-1", "0 or more") for name in ("weight_decay", "l1_penalty", "l2_penalty", "half_penalty")),
        ("negative_decay=-1", "0 or more"),
    ],
)
def test_a_parameter_that_would_mean_something_else_is_refused_in_its_own_words(change: str, said: str) -> None:
    with pytest.raises(ChangeError, match=f"^{change}: {said} is expected"):
        experiment(f"svhn/{change}")


def test_the_counts_that_the_documents_give_are_those_that_train() -> None:
    held_out = round(73257 * HELD_OUT_SHARE)
    doc = LAB.change("train_images").doc  # type: ignore[union-attr]
    for wanted, whole in ((30000, 27543), (10000, 9181)):
        fraction = experiment(f"svhn/train_images={wanted}").config.train_fraction
        for rows, place in ((73257 - held_out, whole), (12000, round(12000 * wanted / 73257))):
            assert len(nested(np.arange(rows), fraction, Streams(0))) == place
            assert f"{place:,}" in README
            assert f"{place:,}" in doc or wanted == 10000


def test_the_shares_that_the_handout_gives_are_those_of_the_shapes() -> None:
    rare = [f"{shares(shape, 10)[5:].sum():.0%}".replace("%", " %") for shape in LABEL_SHARES]
    assert f"{rare[0]}, {rare[1]}, {rare[2]} and {rare[3]} of the images" in README
    published = np.array([4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659])  # Netzer et al. 2011
    assert published.sum() == 73257
    rows = skewed(np.repeat(np.arange(10), published), 10, "even", Streams(0))
    assert f"{len(rows) / 73257:.0%}".replace("%", " % of the training images") in README


def test_a_fraction_changes_the_training_part_alone() -> None:
    config, small = DIGITS, replace(DIGITS, train_fraction=0.25)
    assert len(examples(small, "train", Streams(0))) == 50
    for split in ("validation", "test"):
        whole, same = examples(config, split, Streams(0)), examples(small, split, Streams(1))  # type: ignore[arg-type]
        assert np.array_equal(whole.images, same.images)


def _images(count: int = 64) -> torch.Tensor:
    draws = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return torch.from_numpy(draws).permute(0, 3, 1, 2)


def test_inversion_turns_whole_channels() -> None:
    images = _images()
    found = augmented(images, Augmentation(invert=0.5), Streams(0), 3)
    kept, turned = (found == images).flatten(2).all(2), (found == 255 - images).flatten(2).all(2)
    assert bool((kept ^ turned).all())
    assert 0.3 < float(turned.float().mean()) < 0.7
    assert not bool((turned[:, 0] == turned[:, 1]).all())


def test_salt_and_pepper_hits_its_share_in_all_channels_at_once() -> None:
    images = _images().clamp(1, 254)
    found = augmented(images, Augmentation(salt_and_pepper=0.1), Streams(0), 0)
    hit = found != images
    assert torch.equal(hit.all(1), hit.any(1))
    assert float(hit.float().mean()) == pytest.approx(0.1, abs=0.01)
    assert set(found[hit].unique().tolist()) == {0, 255}
    assert float((found[hit] == 255).float().mean()) == pytest.approx(0.5, abs=0.05)


def test_kinds_of_augmentation_do_not_disturb_each_other() -> None:
    images = _images()
    alone = augmented(images, Augmentation(invert=0.5), Streams(0), 0)
    both = augmented(images, Augmentation(invert=0.5, salt_and_pepper=0.02), Streams(0), 0)
    assert float((alone == both).float().mean()) > 0.97
    assert torch.equal(alone, augmented(images, Augmentation(invert=0.5), Streams(0), 0))
    assert not torch.equal(alone, augmented(images, Augmentation(invert=0.5), Streams(0), 1))


class _Fixed:
    """A generator that draws what it is told."""

    def __init__(self, **draws: float) -> None:
        names = ("turn", "size", "shear", "right", "down")
        self.draws = np.array([[draws.get(name, 0.0)] for name in names])

    def uniform(self, _low: float, _high: float, size: tuple[int, int]) -> np.ndarray[Any, Any]:
        return np.repeat(self.draws, size[1], axis=1)


def test_the_affine_map_agrees_with_shifts_and_turns() -> None:
    images = _images(4)
    still = warped(images, Affine(), _Fixed())  # type: ignore[arg-type]
    assert torch.allclose(still, images.float(), atol=1e-2)
    moved = warped(images, Affine(shift=3.0), _Fixed(right=1.0))  # type: ignore[arg-type]
    assert torch.allclose(moved[..., :-3], images[..., 3:].float(), atol=1e-2)
    lower = warped(images, Affine(shift=2.0), _Fixed(down=-1.0))  # type: ignore[arg-type]
    assert torch.allclose(lower[..., 2:, :], images[..., :-2, :].float(), atol=1e-2)
    turned = warped(images, Affine(degrees=90.0), _Fixed(turn=1.0))  # type: ignore[arg-type]
    assert torch.allclose(turned, torch.rot90(images.float(), 1, (2, 3)), atol=0.05)
    larger = warped(images, Affine(scale=1.0), _Fixed(size=1.0))  # type: ignore[arg-type]
    assert torch.allclose(larger.mean(), images[..., 8:24, 8:24].float().mean(), rtol=0.03)


def test_the_digest_covers_whatever_a_run_imports() -> None:
    package = "paribus.labs.svhn"
    folder = Path(sys.modules[package].__file__ or "").parent
    seen, waiting = set(), ["run"]
    while waiting:
        part = waiting.pop()
        seen.add(folder / f"{part}.py")
        for node in ast.walk(ast.parse((folder / f"{part}.py").read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
                found = (node.module or "").removeprefix(f"{package}.")
                waiting += [found] if folder / f"{found}.py" not in seen else []
    assert seen == set(LAB.source)


def test_pictures_of_ones_own_are_part_of_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for label in "ab":
        for index in range(3):
            (tmp_path / "pics" / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / "pics" / label / f"{index}.png").write_bytes(bytes([index]))
    monkeypatch.chdir(tmp_path)
    first = experiment("svhn/image_folder=pics")
    assert experiment(f"svhn/image_folder={tmp_path}/pics") == first
    (tmp_path / "pics" / "a" / "more.png").write_bytes(b"more")
    assert experiment("svhn/image_folder=pics") != first
    with pytest.raises(ChangeError, match="not a folder"):
        experiment("svhn/image_folder=none")


def test_another_drawing_library_makes_other_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    before = own_digest(LAB)
    monkeypatch.setattr("cv2.__version__", "0.0.1")
    assert own_digest(LAB) != before


def test_sources_of_changes_are_told_apart() -> None:
    softmax = implementation("output", Output())
    seen = [
        softmax,
        implementation("output", Output(probability="abs_max")),
        implementation("output", Output(loss="regression")),
        implementation("pool", BASELINE.pool),
        implementation("pool", LpPool(p=2.0)),
        implementation("recipe", BASELINE.recipe),
        implementation("recipe", MODERN),
    ]
    assert len({id(part) for part in seen}) == len(seen)
    assert implementation("mixup", 0.2) is None


def test_the_check_finds_the_baseline_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SHUFFLED_STEPS", 20)
    monkeypatch.setattr(checks, "MEMORY_STEPS", 50)
    budget = Budget(batch_size=32, train_examples=300, validation_examples=100, test_examples=50)
    config = Config(data="digits", budget=budget)
    learning = {
        "loss at initialisation", "scale of activations", "scale of gradients", "size of updates",
        "overfits 32 examples", "shuffled labels",
    }  # fmt: skip
    levels = {
        finding.check: finding.level for finding in checks.check(config, Context(seed=0)) if finding.check in learning
    }
    assert set(levels) == learning
    assert set(levels.values()) <= {"ok", "note"}


@pytest.mark.parametrize("change", ["one_vs_rest", "squared_distance", "regression", "sparsemax_loss", "abs_max"])
def test_the_loss_at_initialisation_is_held_against_the_same_loss(change: str) -> None:
    config = replace(experiment(f"svhn/{change}").config, data="digits", budget=replace(TINY, batch_size=64))
    first = next(iter(checks._start(config, Context(seed=0))))
    assert first.check == "loss at initialisation"
    assert first.level == "ok", first.value


def test_a_warm_up_is_not_taken_for_a_rate_too_low() -> None:
    config = replace(experiment("svhn/modern").config, data="digits")
    levels = {found.check: found.level for found in checks._start(config, Context(seed=0))}
    assert levels["size of updates"] in ("ok", "note")


@pytest.mark.parametrize(
    "change",
    [
        {"train_fraction": 0.0},
        {"label_shares": "odd"},
        {"precision": "float16"},
        {"dropout": 1.0},
        {"mixup": -0.1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_impossible_configurations_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(BASELINE, **change)


def test_extra_trains_on_both_files_and_the_check_sees_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path / "root"))
    for name, count in (("train", 200), ("test", 30), ("extra", 90)):
        images = np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        savemat(tmp_path / f"{name}_32x32.mat", {"X": images, "y": np.arange(count)[:, None] % 10 + 1})
    config = replace(experiment("svhn/extra").config, budget=Budget(steps=2, batch_size=16))
    with pytest.raises(DataError, match=r"get svhn --extra.*extra_32x32\.mat"):
        run(config, Context(seed=0))
    add("svhn", tmp_path)
    plain, both = part(replace(config, data="svhn"), "train"), part(config, "train")
    assert len(both) == len(plain) + 90
    metrics = run(config, Context(seed=0))
    assert metrics == run(config, Context(seed=0)) != run(replace(config, data="svhn"), Context(seed=0))
    found = {finding.check: finding.value for finding in inspect({split: part(config, split) for split in SPLITS})}
    assert f"{len(both)} in 0..9" in found["labels (train)"]
    counts = np.bincount(both.labels)
    assert f"largest '{counts.argmax()}' {counts.max()}" in found["class balance (train)"]
    assert found["duplicates across train and validation"].startswith("none")


def test_extra_images_that_a_budget_would_not_reach_are_refused() -> None:
    words = " ".join((LAB.change("extra").doc, README))  # type: ignore[union-attr]
    assert f"{TRAINING_PART + 531131:,}" in words
    with pytest.raises(ChangeError, match=r"12,000.*none would be seen"):
        experiment("svhn/extra/brief")
    assert replace(BASELINE, data="svhn+extra", budget=Budget(train_examples=TRAINING_PART + 1))
