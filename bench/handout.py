"""Measure what a lab's handout reports: the verdict of every study, and for some what pairing by seed gains.

    python bench/handout.py svhn                      # into the lab's README.md
    python bench/handout.py svhn --seeds 3 --dry-run  # a quick look, printed
    python bench/handout.py textsnake --seeds 5 --only representation decoding

Every study runs on the lab's default base (or ``--base``) with its own number of seeds (or ``--seeds``). The tables are
written between the markers ``<!-- measured: NAME -->`` and ``<!-- end -->`` of the handout. With ``--only`` the other
studies' tables stay, and each new one says itself when and where it was measured. Trials are kept in the store, so an
interrupted run goes on, and a second one only writes the tables again.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import paribus
from paribus.analysis import pairing_gain
from paribus.exhibit import exhibit
from paribus.flow import Conducted
from paribus.report.live import LiveView
from paribus.report.material import ArmMaterial, Material
from paribus.report.unit import Unit, duration, probability, unit_of

PAIRING = {"svhn": ("regression", "augmentation", "mixup")}
"""By lab, the studies over which the gain of pairing is measured, with ``--pairing-seeds`` seeds."""


def main() -> int:
    """Run what is missing and write the handout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lab")
    parser.add_argument("--base", help="an experiment's name; by default the lab's own choice")
    parser.add_argument("--seeds", type=int, help="instead of each study's own number")
    parser.add_argument(
        "--only", nargs="+", metavar="STUDY", help="these studies alone, as in LAB.STUDY; by default all"
    )
    parser.add_argument("--pairing-seeds", type=int, default=20)
    parser.add_argument("--store", help="a store's URL or file; by default the usual one")
    parser.add_argument("--dry-run", action="store_true", help="print the tables and leave the handout alone")
    options = parser.parse_args()
    lab = paribus.lab(options.lab)
    base = options.base or (lab.default_base().name if lab.default_base else None)
    chosen = [study for study in lab.studies if not options.only or study.name.partition(".")[2] in options.only]
    with paribus.Store.open(options.store) as store:

        def conducted(study: paribus.Study, seeds: int | None) -> Conducted:
            print(f"== {study.name}", file=sys.stderr, flush=True)
            with LiveView() as view:
                return paribus.conduct(study, store=store, seeds=seeds, base=base, listener=view)

        studies = [exhibit(conducted(study, options.seeds).results) for study in chosen]
        tables = {"verdicts": "\n\n".join([_head(studies), *map(_study, studies)])}
        if lab.name in PAIRING and not options.only:
            topics = [paribus.study(f"{lab.name}.{topic}") for topic in PAIRING[lab.name]]
            pairs = [conducted(study, options.pairing_seeds) for study in topics]
            tables["pairing"] = _pairing([exhibit(pair.results) for pair in pairs])
    if options.dry_run:
        print("\n\n".join(tables.values()))
        return 0
    handout = Path(sys.modules[type(lab.baseline).__module__].__file__ or "").parent / "README.md"
    text = handout.read_text()
    for name, table in tables.items():
        marker = re.compile(rf"(<!-- measured: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
        found = marker.search(text)
        if not found:
            parser.error(f"{handout} has no marker <!-- measured: {name} -->")
        if name == "verdicts" and options.only:
            table = _among(found[2], studies, [study.name for study in lab.studies])
        text = f"{text[: found.start()]}{found[1]}\n{table}\n\n{found[3]}{text[found.end() :]}"
    handout.write_text(text)
    print(f"Written: {handout}")
    return 0


def _among(table: str, studies: list[Material], order: list[str]) -> str:
    """Return *table* with the sections of *studies* instead of those that it had, in the lab's order."""
    head, *parts = re.split(r"\n\n(?=### )", table.strip())
    sections = {part.removeprefix("### ").partition(":")[0]: part for part in parts}
    for material in studies:
        sections[material.study.name.partition(".")[2]] = f"{_study(material)} {_measured([material])}"
    topics = [name.partition(".")[2] for name in order]
    return "\n\n".join([head or _head(studies), *(sections[topic] for topic in topics if topic in sections)])


def _head(studies: list[Material]) -> str:
    base = studies[0].base or f"{studies[0].study.name.partition('.')[0]}/base"
    return f"Data: {studies[0].data}. Base: `{base}`. {_measured(studies)}"


def _measured(studies: list[Material]) -> str:
    where = studies[0].environment
    took = duration(sum(material.seconds for material in studies))
    several = ", the control's counted in each study" if len(studies) > 1 else ""
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} with Paribus {where.get('paribus')}, PyTorch {where.get('torch')}, on "
        f"{where.get('processor')}, {where.get('cores')} cores ({where.get('device')}), "
        f"{where.get('threads_per_trial')} thread a trial; {took} of trials{several}."
    )


def _study(material: Material) -> str:
    unit = unit_of(material)
    topic = material.study.name.partition(".")[2]
    more = material.study.beside
    step = f", {unit.step}" if unit.step else ""
    symbol = f", {unit.symbol}" if unit.symbol else ""
    heads = ["arm", "n", f"mean ± sd{symbol}", f"difference [95 % interval]{step}", "p adj.", "verdict", *more]
    rows = [heads, ["---"] * len(heads)]
    scores = np.array(list(material.control.scores.scores.values()))
    spread = unit.spread(float(scores.mean()), float(scores.std(ddof=1)))
    rows.append([f"`{material.control.label}`", str(len(scores)), spread, "", "", "control"])
    rows[-1] += [_mean(material.control, name) for name in more]
    for arm, verdict in zip(material.arms, material.verdicts, strict=True):
        difference = " ".join(unit.estimate(verdict.difference, verdict.low, verdict.high))
        word = f"**{verdict.verdict}**" if verdict.verdict != "undecided" else "undecided"
        word += f" ({verdict.diverged} diverged)" if verdict.diverged else ""
        cells = [unit.spread(verdict.mean, verdict.sd), difference, probability(verdict.adjusted_p), word]
        rows.append([f"`{arm.label}`", str(verdict.n), *cells, *(_mean(arm, name) for name in more)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    parts = [f"### {topic}: {material.study.question}", f"*Expected:* {material.study.hypothesis}", table]
    if material.chosen is not None:
        found = f" {material.chosen.verdict.sentence}" if material.chosen.verdict else ""
        parts.append(f"Chosen on validation: {material.chosen.how}.{found}")
    if material.agreement:
        parts.append(_agreement(material))
    parts.append(f"Intervals hold for {material.verdicts[0].generalises}.")
    return "\n\n".join(parts)


def _agreement(material: Material) -> str:
    heads = ("measure", "Kendall's W over judges [95 % of resamples]", "p adj.", "best to worst")
    rows = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for one in material.agreement:
        order = ", ".join(f"`{label}`" for label in one.order)
        p = probability(one.adjusted_p)
        rows.append(f"| `{one.measure}` | {one.w:.2f} [{one.low:.2f}, {one.high:.2f}] | {p} | {order} |")
    judges = {judge.partition("_on_")[2] or judge for one in material.agreement for judge in one.judges}
    seeds = len(material.agreement[0].seeds)
    return "\n".join(rows) + f"\n\nJudges: {', '.join(sorted(judges))}; means over {seeds} seeds."


def _mean(arm: ArmMaterial, metric: str) -> str:
    values = list(arm.metrics.get(metric, {}).values())
    return Unit.of(metric, values).show(float(np.mean(values))) if values else ""


def _pairing(studies: list[Material]) -> str:
    heads = ("study", "arm", "n", "correlation", "variance ratio, unpaired / paired [95 % interval]")
    rows = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for material in studies:
        control = material.control.scores.scores
        for arm in material.arms:
            seeds = sorted(set(control) & set(arm.scores.scores))
            gain = pairing_gain([control[seed] for seed in seeds], [arm.scores.scores[seed] for seed in seeds])
            ratio = f"{gain.ratio:.2f} [{gain.low:.2f}, {gain.high:.2f}]"
            topic = material.study.name.rpartition(".")[2]
            rows.append(f"| {topic} | `{arm.label}` | {len(seeds)} | {gain.correlation:.2f} | {ratio} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
