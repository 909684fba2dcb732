"""The sentences around the verdicts, the same in the terminal and on the page."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from paribus.analysis import Verdict, Word
from paribus.analysis.looks import MIN_PAIRS
from paribus.report.material import Material
from paribus.report.unit import Unit, counted, duration

UNDESCRIBED = "the lab does not say what its data is"

WORDS: tuple[Word, ...] = ("better", "worse", "equivalent", "undecided", "diverges")


@dataclass(frozen=True)
class Mark:
    """How a verdict's word is set off: a symbol beside the word, so that colour never carries it alone."""

    symbol: str
    style: str
    """The terminal's colour, in the words of rich."""
    colour: str
    """The page's colour: the hues of Okabe and Ito (2008), which colour-blind readers can tell apart, dark enough to
    read as text."""
    meaning: str


MARKS: dict[Word, Mark] = {
    "better": Mark(
        "✓",
        "bold green",
        "#00755a",
        "A difference in the good direction that chance hardly explains: adjusted p at or under alpha.",
    ),
    "worse": Mark(
        "✗",
        "bold red",
        "#b04a00",
        "A difference in the bad direction that chance hardly explains: adjusted p at or under alpha.",
    ),
    "equivalent": Mark(
        "≈", "bold cyan", "#0069a8", "Shown to differ by less than the margin, the smallest difference that matters."
    ),
    "undecided": Mark(
        "?",
        "bold yellow",
        "#63636a",
        "Neither shown to differ nor shown to be the same. It does not mean: no difference.",
    ),
    "diverges": Mark(
        "∞",
        "bold magenta",
        "#95437a",
        "Training breaks down in this arm far more often than in the control; that is the finding.",
    ),
}


def labels(material: Material) -> dict[str, str]:
    """Return each arm's label by its name."""
    return {arm.name: arm.label for arm in (material.control, *material.arms)}


def sentence(label: str, verdict: Verdict) -> str:
    """Return the verdict's sentence, said of *label*, with typographic minus signs."""
    text = re.sub(r"(?<![\w])-(?=\d)", "−", verdict.sentence)
    verb = "" if verdict.verdict == "diverges" else " is"
    text = f"{label}{verb} {text}" if text.startswith(verdict.verdict) else f"{label}: {text}"
    return text if text.endswith(".") else f"{text}."


def answer(material: Material) -> str:
    """Return the study's answer in one sentence: the verdict's own for one arm, a count of the words for several."""
    known = labels(material)
    if len(material.verdicts) == 1:
        verdict = material.verdicts[0]
        return sentence(known.get(verdict.name, verdict.name), verdict)
    parts = []
    for word in WORDS:
        names = [known.get(verdict.name, verdict.name) for verdict in material.verdicts if verdict.verdict == word]
        if names:
            listed = ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
            parts.append(f"{len(names)} {word} ({listed})")
    return f"Of {len(material.verdicts)} arms against {material.control.label}: {'; '.join(parts)}."


def scope(material: Material) -> str:
    """Return what the intervals generalise over, and how they were made."""
    kinds = sorted(
        {(verdict.generalises, verdict.method) for verdict in material.verdicts if math.isfinite(verdict.low)}
    )
    if not kinds:
        few = all(verdict.n < MIN_PAIRS for verdict in material.verdicts)
        return "No interval: it takes three paired seeds or more." if few else ""
    alpha = material.study.alpha
    said = " and ".join(f"{generalises} ({method})" for generalises, method in kinds)
    several = len(material.verdicts) > 1
    level = f"{100 * (1 - alpha):g} % intervals"
    if not several:
        return f"{level} hold for {said}."
    return (
        f"{level}, each for one arm alone, hold for {said}; the words follow p adjusted by Holm's method over the arms."
    )


def standard(material: Material, unit: Unit) -> str:
    """Return what decides: the metric, which way it points, the margin."""
    study = material.study
    way = "more is better" if study.direction == "max" else "less is better"
    margin = f"differences under {unit.exact(study.margin)} do not matter" if study.margin else "no margin set"
    return f"{study.metric} ({way}; {margin})"


def price(material: Material) -> str:
    """Return what the arm nearest to a decision still costs; empty where none is undecided or none can be decided."""
    undecided = [verdict for verdict in material.verdicts if verdict.verdict == "undecided"]
    open_ones = [verdict for verdict in undecided if verdict.more_seeds and not verdict.failed]
    if not open_ones:
        return ""
    nearest = min(open_ones, key=lambda verdict: verdict.more_seeds or 0)
    cost = f", some {duration(nearest.more_seconds)} of trials" if nearest.more_seconds is not None else ""
    label = labels(material).get(nearest.name, nearest.name)
    seeds = counted(nearest.more_seeds or 0, "more seed")
    return f"Of the undecided arms {label} is nearest to a decision: about {seeds}{cost}."


def warnings(material: Material, *, of_arms: bool = True) -> list[str]:
    """Return what a reader must know before believing a verdict: confounded, diverged, failed, other machines.

    *of_arms* is false where each arm's sentence stands beside it and says so itself.
    """
    lines = []
    known = labels(material)
    for verdict in material.verdicts if of_arms else ():
        label = known.get(verdict.name, verdict.name)
        if verdict.confounded:
            lines.append(
                f"{label} is confounded (†): it differs from the control in more than one change, so none of them "
                f"alone can be given credit or blame."
            )
        lines.extend(_mishaps(label, verdict.diverged, verdict.failed))
    scores = material.control.scores
    lines.extend(_mishaps("The control", len(scores.diverged), len(scores.failed)))
    if material.other_environments:
        fields = ", ".join(name.replace("_", " ") for name in material.environments_differ_in)
        lines.append(
            f"{counted(material.other_environments, 'trial')} ran in another environment than the one shown"
            f"{f'; it differs in: {fields}' if fields else ''}."
        )
    if material.looks:
        lines.append(_looked(material))
    return lines


def _looked(material: Material) -> str:
    """Return what earlier looks mean: each is a further chance of a false verdict, so their rates add up at worst."""
    plan = "one look" if material.max_seeds is None else f"looks at up to {material.max_seeds} seeds"
    times = len(material.looks) + 1
    alpha = material.study.alpha
    advice = " --until-decided plans for many looks and keeps to alpha." if material.max_seeds is None else ""
    return (
        f"Planned for {plan}, but judged before: {', '.join(material.looks)}. Whoever would have stopped at any of "
        f"these meets false verdicts at a rate above alpha = {alpha:g}, up to {times} times that.{advice}"
    )


def _mishaps(label: str, diverged: int, failed: int) -> list[str]:
    lines = []
    if diverged:
        lines.append(f"{label}: {counted(diverged, 'trial')} diverged.")
    if failed:
        lines.append(f"{label}: {counted(failed, 'trial')} stopped with an error and counted for nothing.")
    return lines
