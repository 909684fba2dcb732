"""A study's results as they are in a store, without running anything: what was run last, under its own conditions."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.errors import ConfigError
from paribus.flow import resolve
from paribus.gather import Results
from paribus.spec import registry
from paribus.spec.source import digest
from paribus.spec.study import Study
from paribus.spec.trial import Conditions
from paribus.store import Look, Store


@dataclass(frozen=True)
class Revisited:
    """Results that were there already, and what a reader must know about them; empty where there is nothing to say."""

    results: Results
    caution: str


def revisit(study: Study, store: Store, *, base: str | None = None) -> Revisited:
    """Return the results of *study* on *base* of the last look at them, of today's code where that was looked at.

    Raises:
        ConfigError: it was never run; the message names the command that runs it.
    """
    placed, base = registry.placed(study, base)
    experiments = resolve(placed)
    today = {experiment.lab.name: digest(experiment.lab) for experiment in experiments}
    labs = sorted({experiment.lab.whole_name for experiment in experiments})
    looks = [look for look in store.looks(placed.name, base or "") if look.summary.get("labs", labs) == labs]
    if not looks:
        on = f" --base {base}" if base is not None else ""
        raise ConfigError(f"{study.name}{on} has not been run in {store}: paribus run {study.name}{on}")
    look = next((look for look in reversed(looks) if _codes(look) == today), looks[-1])
    conditions = {lab: Conditions(**value) for lab, value in look.summary["conditions"].items()}
    counted, planned = look.summary.get("counts", {}), look.summary["max_seeds"]
    counts = {arm: counted.get(arm, look.seeds) for arm in placed.arms}
    results = Results(store, placed, experiments, conditions, counts, base=base, max_seeds=planned)
    caution = ""
    if _codes(look) != today:
        lab = experiments[0].lab.name
        caution = f"{lab} has other code than on {look.looked:%Y-%m-%d}, when these results were made"
    return Revisited(results, caution)


def _codes(look: Look) -> dict[str, str]:
    return {lab: value["code"] for lab, value in look.summary["conditions"].items()}
