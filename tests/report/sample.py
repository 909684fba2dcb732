"""Synthetic material from a seeded generator: what no lab has measured, in the shapes that reports must bear."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import ArmScores, Verdict, concordances, judge
from paribus.report.material import (
    ArmMaterial,
    Chosen,
    Curve,
    Flip,
    Flips,
    Gallery,
    Images,
    Material,
    Mishap,
    Mistake,
    NoteLine,
)
from paribus.spec.difference import FieldDifference
from paribus.spec.study import Study

MADE = datetime(2025, 3, 14, 15, 9, tzinfo=UTC)
SYNTHETIC = "Synthetic numbers from a seeded generator, for testing; nothing was trained."
EXAMPLES = 1000


def picture(rng: np.random.Generator, size: int = 32) -> NDArray[np.uint8]:
    """Return (size, size, 3) uint8: a bright blob on a dark ground, with noise."""
    y, x = np.mgrid[:size, :size] / size - rng.uniform(0.3, 0.7, (2, 1, 1))
    blob = np.exp(-(x**2 + y**2) / 0.04)[..., None] * rng.uniform(80, 220, 3)
    return np.clip(30 + blob + rng.normal(0, 12, (size, size, 3)), 0, 255).astype(np.uint8)


def curve(rng: np.random.Generator, finals: Mapping[int, float], noise: float = 0.01) -> Curve:
    """Return a curve that rises to each seed's final value."""
    steps = np.arange(0, 1001, 50)
    rise = 1 - np.exp(-steps / 220)
    values = np.array([0.1 + (final - 0.1) * rise + rng.normal(0, noise, len(steps)) for final in finals.values()])
    return Curve(steps=steps, values=values.reshape(len(finals), len(steps)), seeds=tuple(finals))


def scores(
    name: str,
    values: Mapping[int, float],
    rng: np.random.Generator,
    *,
    diverged: Sequence[int] = (),
    failed: Sequence[int] = (),
    examples: bool = True,
    confounded: bool = False,
) -> ArmScores:
    """Return an arm's scores; per-example outcomes agree with them."""
    correct = {seed: rng.permutation(np.arange(EXAMPLES) < round(value * EXAMPLES)) for seed, value in values.items()}
    return ArmScores(
        name=name,
        scores=dict(values),
        diverged=tuple(diverged),
        failed=tuple(failed),
        correct=correct if examples else None,
        seconds=41.0,
        confounded=confounded,
    )


def verdicts(study: Study, control: ArmScores, arms: Sequence[ArmScores]) -> tuple[Verdict, ...]:
    """Return the package's own verdicts on the synthetic scores."""
    return judge(control, arms, direction=study.direction, margin=study.margin, alpha=study.alpha)


BEFORE = "def pool(x):\n    x = relu(x)\n    return max_pool2d(x, 2)\n"
AFTER = "def pool(x):\n    x = x.abs()\n    return lp_pool2d(x, 4, 2)\n"
SOURCE = "".join(difflib.unified_diff(BEFORE.splitlines(True), AFTER.splitlines(True), "relu.py", "abs.py"))


def flips(rng: np.random.Generator, n: int, *, pictures: bool = True) -> Flips:
    """Return six gained and four lost examples of digits."""

    def one(index: int) -> Flip:
        label, wrong = (str(digit) for digit in rng.choice(10, 2, replace=False))
        image = picture(rng) if pictures else None
        names = (label, wrong) if index % 2 else (wrong, label)
        return Flip(index=index, seeds=max(1, n - index % 3), image=image, label=label, control=names[0], arm=names[1])

    return Flips(
        gained=tuple(one(index) for index in range(100, 112, 2)),
        lost=tuple(one(index) for index in range(201, 209, 2)),
        gained_per_seed=41.2,
        lost_per_seed=30.4,
        examples=EXAMPLES,
        seeds=n,
    )


def gallery(rng: np.random.Generator, n: int) -> Gallery:
    """Return eight mistakes."""
    mistakes = tuple(
        Mistake(
            index=i,
            seeds=max(1, n - i % 2),
            image=picture(rng),
            label=str(i % 10),
            predicted=str((i + 3) % 10),
            confidence=0.99 - 0.02 * i,
        )
        for i in range(8)
    )
    return Gallery(mistakes=mistakes, seeds=n)


def material(
    effects: Mapping[str, float],
    *,
    seeds: int = 5,
    level: float = 0.93,
    sd: float = 0.004,
    metric: str = "test_accuracy",
    direction: str = "max",
    margin: float = 0.003,
    examples: bool = True,
    pictures: bool = True,
    control: str = "svhn/base",
    question: str = "Does a different pooling classify street digits better?",
    seed: int = 0,
) -> Material:
    """Return a study of *effects*, arm's name -> true difference, with correlated arms."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(level, sd, seeds)

    def exact(value: float) -> float:
        return round(value * EXAMPLES) / EXAMPLES if examples else value

    values = {i: exact(float(shared[i])) for i in range(seeds)}
    arms = tuple(f"{control.removesuffix('/base')}/{name}" for name in effects)
    study = Study(
        name="svhn.pooling",
        question=question,
        hypothesis="Pooling with p = 4 keeps more of a stroke than the maximum.",
        control=control,
        arms=arms,
        metric=metric,
        direction=direction,
        margin=margin,
        seeds=seeds,  # type: ignore[arg-type]
    )
    baseline = scores(control, values, rng, examples=examples)

    def arm(name: str, effect: float) -> ArmMaterial:
        mine = {i: exact(float(shared[i] + effect + rng.normal(0, sd / 2))) for i in range(seeds)}
        return ArmMaterial(
            name=name,
            label=name.removeprefix(f"{control.removesuffix('/base')}/"),
            docs=(f"Uses {name.rpartition('/')[2]} in place of the maximum.",),
            scores=scores(name, mine, rng, examples=examples),
            metrics={metric: mine, "train_seconds": dict.fromkeys(mine, 41.0)},
            curves={"valid_accuracy": curve(rng, mine)},
            differences=(FieldDifference(path="model.pool", before="max", after=name.rpartition("/")[2]),),
            source_diff=SOURCE,
            flips=flips(rng, seeds, pictures=pictures) if examples else None,
            errors=gallery(rng, seeds) if examples and pictures else None,
        )

    made = tuple(arm(name, effect) for name, effect in zip(arms, effects.values(), strict=True))
    return Material(
        study=study,
        base=control,
        base_reason="the lab's baseline",
        data=SYNTHETIC,
        verdicts=verdicts(study, baseline, [one.scores for one in made]),
        control=ArmMaterial(
            name=control,
            label=control.rpartition("/")[2],
            scores=baseline,
            metrics={metric: values},
            curves={"valid_accuracy": curve(rng, values)},
            errors=gallery(rng, seeds) if examples and pictures else None,
        ),
        arms=made,
        environment={
            "python": "3.12.8",
            "torch": "2.14.1",
            "numpy": "2.2.1",
            "device": "cpu",
            "cpu": "a processor that does not exist",
            "threads": 1,
            "precision": "float32",
            "commit": "0123abc",
            "code": "9f8e7d6c5b4a",
        },
        command=f"paribus run svhn.pooling --seeds {seeds}",
        made=MADE,
        seconds=41.0 * seeds * (len(arms) + 1),
        notes=(NoteLine(about=arms[0], text="Tried because the strokes are thin.", author="ada", written=MADE),),
    )


def plain() -> Material:
    """Return an ordinary study: one arm better, one undecided, one equivalent, one worse."""
    return material(
        {"lp_pool=4": 0.012, "average_pool": 0.001, "stride": 0.0, "no_pool": -0.03}, seeds=8, sd=0.003, margin=0.006
    )


def one_arm() -> Material:
    """Return a study with one arm."""
    return material({"lp_pool=4": 0.012})


def one_seed() -> Material:
    """Return a study with a single seed: no interval, no p-value."""
    return material({"lp_pool=4": 0.012, "average_pool": -0.002}, seeds=1)


def sixteen() -> Material:
    """Return sixteen arms, one of them chosen by validation."""
    effects = {
        f"lp_pool={p}/{act}": 0.002 * i - 0.014
        for i, (p, act) in enumerate((p, a) for p in (1, 2, 4, 8, 12, 16, 32, "inf") for a in ("abs", "relu"))
    }
    made = material(effects)
    return dataclasses.replace(
        made, chosen=Chosen(verdict=made.verdicts[-1], how="best valid_accuracy over seeds 0–4, judged on seeds 5–9")
    )


def lower_is_better() -> Material:
    """Return a study of an error whose fall is good, with neither examples nor pictures."""
    return material(
        {"perceptual": -0.0009, "l1": 0.0004},
        level=0.0123,
        sd=0.0004,
        metric="valid_mse",
        direction="min",
        margin=0.0002,
        examples=False,
        control="inversion/base",
        question="Which loss inverts features with the smallest error?",
    )


def broken() -> Material:
    """Return an arm of which all trials diverged, an arm whose trials all failed, and a confounded one."""
    made = material({"no_warmup": 0.0, "huge": 0.0, "two/changes": 0.02})
    study = made.study
    seeds = range(study.seeds)
    diverged, failed, confounded = made.arms
    diverged = dataclasses.replace(
        diverged,
        curves={},
        flips=None,
        errors=None,
        metrics={},
        scores=ArmScores(name=diverged.name, scores={}, diverged=tuple(seeds)),
        mishaps=tuple(Mishap(seed=s, outcome="diverged", message=f"the loss is nan at step {40 + s}") for s in seeds),
    )
    failed = dataclasses.replace(
        failed,
        curves={},
        flips=None,
        errors=None,
        metrics={},
        scores=ArmScores(name=failed.name, scores={}, failed=tuple(seeds)),
        mishaps=tuple(Mishap(seed=s, outcome="failed", message="MemoryError: cannot allocate 9 GiB") for s in seeds),
    )
    confounded = dataclasses.replace(confounded, scores=dataclasses.replace(confounded.scores, confounded=True))
    arms = (diverged, failed, confounded)
    return dataclasses.replace(
        made,
        arms=arms,
        verdicts=verdicts(study, made.control.scores, [arm.scores for arm in arms]),
        other_environments=2,
        looks=("at 3 seeds", "at 4 seeds"),
    )


def user_lab() -> Material:
    """Return a user's own lab: a path for a name, no pictures, per-example data or curves."""
    made = material(
        {"rate=0.3": 0.01},
        examples=False,
        control="/home/ada/experiments with spaces/my_lab.py/base",
        question="A user's own lab.",
    )
    study = dataclasses.replace(made.study, hypothesis="", margin=0.0)
    strip = {"curves": {}, "source_diff": "", "docs": ()}
    return dataclasses.replace(
        made,
        study=study,
        control=dataclasses.replace(made.control, curves={}),
        arms=tuple(dataclasses.replace(arm, **strip) for arm in made.arms),
        notes=(),
        environment={"python": "3.12.8"},
    )


def hostile() -> Material:
    """Return names, notes and code that try to be markup, in HTML and in rich's."""
    evil = "<script>alert('x')</script>"
    made = material({"lp_pool=4": 0.012}, question=f'Is [bold red]{evil}[/] & "this" escaped?')
    arm = dataclasses.replace(
        made.arms[0],
        label=f"[red]{evil}",
        source_diff=f"--- a\n+++ b\n+</pre>{evil}\n",
        docs=(evil,),
        differences=(FieldDifference(path=evil, before=evil, after="</td>"),),
    )
    return dataclasses.replace(
        made,
        arms=(arm,),
        data=f"synthetic {evil}",
        environment={evil: evil},
        command=f"echo '{evil}'",
        base_reason=evil,
        verdicts=(dataclasses.replace(made.verdicts[0], sentence=f"</script>{evil}"),),
        notes=(NoteLine(about=evil, text=f"[blink]{evil}[/blink]", author=evil, written=MADE),),
        looks=(evil,),
        gaps=(evil,),
    )


def long_names() -> Material:
    """Return arms whose names are longer than a line."""
    return material(
        {
            "abs_max/lp_pool=4/multiscale_features/two_stage_classifier/extra_data/local_contrast_normalisation": 0.01,
            "image_folder=/home/somebody/a very long folder/with many parts/of unbroken_words_without_any_space": -0.01,
        }
    )


def course(rng: np.random.Generator, frames: int, height: int, width: int) -> NDArray[np.uint8]:
    """Return (frames, height, width, 3): noise that becomes a picture of blobs."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    target = np.full((height, width, 3), 40.0)
    for _ in range(6):
        at, colour = rng.uniform(0, 1, 2), rng.uniform(60, 250, 3)
        target += np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.02)[..., None] * colour
    noise = rng.uniform(0, 255, target.shape)
    shares = np.linspace(0, 1, frames)[:, None, None, None] ** 0.5
    return np.clip(shares * target + (1 - shares) * noise, 0, 255).astype(np.uint8)


def optimised() -> Material:
    """Return an ordered study of arms that optimise an image: long strips, small ones, wide ones, and one without.

    Two metrics stand beside the one that decides, and two judges rank the arms.
    """
    rng = np.random.default_rng(5)
    effects = {f"layer={name}": -0.8 * i for i, name in enumerate(("conv1_1", "conv2_1", "conv3_1", "conv4_1", "fc"))}
    made = material(
        effects, seeds=4, level=24.0, sd=0.3, metric="psnr", margin=0.2, examples=False, control="inversion/base"
    )
    sizes = [(24, 96, 96), (24, 96, 96), (3, 32, 32), (9, 120, 200), (1, 64, 64), None]
    arms = []
    for arm, shape in zip((made.control, *made.arms), sizes, strict=True):
        if shape is None:
            arms.append(arm)
            continue
        strip = course(rng, *shape)
        pictures = {"original": course(rng, 2, 300, 400)[-1], "result": strip[-1]}
        arms.append(dataclasses.replace(arm, images=Images(seed=0, strip=strip, pictures=pictures)))
    for place, arm in enumerate(arms):
        more: dict[str, dict[int, float]] = {
            "ssim": {seed: 0.9 - 0.1 * place + rng.normal(0, 0.01) for seed in range(4)},
            "judged_distance": {seed: 0.1 + 0.07 * place + rng.normal(0, 0.004) for seed in range(4)},
        }
        arms[place] = dataclasses.replace(arm, metrics={**arm.metrics, **more})
    study = dataclasses.replace(
        made.study,
        ordered=True,
        question="Which layer keeps most of its image?",
        beside=("ssim", "judged_distance"),
        judges={"nearness": ("psnr", "ssim")},
    )
    agreement = concordances({arm.label: arm.metrics for arm in arms}, study.judges, direction="max")
    return dataclasses.replace(made, study=study, control=arms[0], arms=tuple(arms[1:]), agreement=agreement)


ALL = {
    f.__name__: f
    for f in (
        plain, one_arm, one_seed, sixteen, lower_is_better, broken, user_lab, hostile, long_names, optimised,
    )
}  # fmt: skip
