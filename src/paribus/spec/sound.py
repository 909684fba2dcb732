"""Can the studies of a lab run as they are written, and do its changes apply to anything? Nothing runs to tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from paribus.errors import ParibusError
from paribus.spec import registry
from paribus.spec.experiment import Experiment, build
from paribus.spec.finding import Finding
from paribus.spec.lab import Lab


def soundness(lab: Lab) -> Iterator[Finding]:
    """Yield a warning for each study that cannot run and each change that applies to nothing, or that all is well."""
    sound = True
    configs: list[Any] = [lab.baseline]
    used = set()
    for study in lab.studies:
        topic = study.name.rpartition(".")[2]
        try:
            experiments = [registry.experiment(name) for name in study.names]
        except ParibusError as error:
            sound = False
            yield Finding(f"study {topic}", "warning", str(error), "It cannot run before this is mended.")
            continue
        used |= {edit.change.name for experiment in experiments for edit in experiment.edits}
    configs += [found.config for change in lab.changes if (found := _alone(lab, change.name)) is not None]
    for change in lab.changes:
        if change.name not in used and not any(change.fits(config) for config in configs):
            sound = False
            seen = f"it expects {change.path} = {change.before!r}, which nothing gives"
            meaning = "Neither the baseline nor the baseline with another change has that."
            yield Finding(f"change {change.name}", "warning", seen, meaning)
    if sound and (lab.studies or lab.changes):
        counts = ((len(lab.changes), "change", "changes"), (len(lab.studies), "study", "studies"))
        seen = ", ".join(f"{count} {one if count == 1 else more}" for count, one, more in counts if count)
        yield Finding("names", "ok", seen, "Each change applies, and every arm of a study can be made.")


def _alone(lab: Lab, change: str) -> Experiment | None:
    """The baseline of *lab* with *change* alone; ``None`` where it does not apply there, or takes a parameter."""
    try:
        return build(lab, (change,))
    except ParibusError:
        return None
