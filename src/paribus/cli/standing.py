"""What a study stands on: the base that the user names, or else the one that its lab chooses, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.cli.naming import find, is_lab
from paribus.errors import ConfigError
from paribus.spec import registry
from paribus.spec.experiment import Experiment
from paribus.spec.lab import Lab
from paribus.spec.name import split
from paribus.spec.study import Study


@dataclass(frozen=True)
class Standing:
    """An experiment to stand on, and why it is this one; no reason where it is simply the baseline."""

    experiment: Experiment
    reason: str

    @property
    def base(self) -> str | None:
        """The name for :func:`paribus.flow.conduct`; ``None`` for the lab's own baseline."""
        return self.experiment.name if self.experiment.edits else None


def chosen_by(lab: Lab) -> Standing:
    """Return what *lab* chooses to stand on here and now."""
    if lab.default_base is None:
        return Standing(Experiment(lab, ()), "")
    chosen = lab.default_base()
    return Standing(registry.experiment(chosen.name), chosen.reason)


def standing(study: Study, base: str | None, store: str | None) -> Standing:
    """Return the base of *study*: *base* where the user names one, else its lab's choice."""
    lab = registry.lab(split(study.control)[0])
    if base is None:
        return chosen_by(lab)
    experiment = find(base, store)
    if experiment.lab.name != lab.name:
        raise ConfigError(f"--base {base} belongs to lab {experiment.lab.name!r}: name an experiment of {lab.name!r}")
    return Standing(experiment, "named by --base")


def standing_of(name: str, store: str | None) -> Standing:
    """Return the experiment that *name* means; for a lab alone, the one that it chooses."""
    if is_lab(name):
        return chosen_by(registry.lab(name))
    return Standing(find(name, store), "")
