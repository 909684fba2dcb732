"""Which way a metric points where nobody has said so."""

from __future__ import annotations

from paribus.cli.terminal import say
from paribus.errors import ConfigError
from paribus.spec.lab import Lab
from paribus.spec.study import Direction, usual_direction


def direction_of(given: str | None, metric: str) -> Direction:
    """Return *given*, or else the direction that the name of *metric* suggests; a guess of ``min`` is said aloud."""
    if given is None:
        usual = usual_direction(metric)
        if usual == "min":
            say(f"note: less {metric} is taken as better; --direction max says otherwise")
        return usual
    if given == "max":
        return "max"
    if given == "min":
        return "min"
    raise ConfigError(f"--direction {given}: write max where more {metric} is better, min where less is")


def direction_in(lab: Lab, given: str | None, metric: str | None) -> Direction | None:
    """Return the direction of *metric* where *lab* does not know it; ``None`` leaves it to the lab and its studies."""
    known = {lab.metric, *(study.metric for study in lab.studies)}
    if given is None and (metric is None or metric in known):
        return None
    return direction_of(given, metric or lab.metric)
