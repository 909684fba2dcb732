"""The verdicts as JSON: the contract that scripts depend on, one place for ``--json`` and for the page."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from paribus.analysis import Verdict
from paribus.report.material import Material

ARM_FIELDS = (
    "name", "n", "mean", "sd", "control_mean", "difference", "low", "high", "p_value", "adjusted_p", "verdict",
    "diverged", "confounded", "seeds",
)  # fmt: skip
"""The fields of an arm that the contract promises, in its order; others follow them."""


def to_json(material: Material) -> dict[str, Any]:
    """Return the study as plain JSON values, in the metric's own units; a number that does not exist is ``None``."""
    study = material.study
    return {
        "study": study.name,
        "question": study.question,
        "control": study.control,
        "metric": study.metric,
        "margin": study.margin,
        "alpha": study.alpha,
        "environment": {str(key): plain(value) for key, value in material.environment.items()},
        "arms": [_arm(verdict) for verdict in material.verdicts],
        "direction": study.direction,
        "base": material.base,
        "data": material.data,
        "chosen": _chosen(material),
        "beside": {metric: _by_arm(material, metric) for metric in study.beside},
        "agreement": [plain(dataclasses.asdict(one)) for one in material.agreement],
    }


def plain(value: Any) -> Any:
    """Return *value* as JSON's own types; NaN and infinities, which JSON lacks, become ``None``."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, bool | int | str | None) else str(value)


def _by_arm(material: Material, metric: str) -> dict[str, float | None]:
    """Return the mean of *metric* over the seeds of the control and of each arm, by the arm's name."""
    arms = (material.control, *material.arms)
    values = {arm.name: list(arm.metrics.get(metric, {}).values()) for arm in arms}
    return {name: plain(fmean(own)) if own else None for name, own in values.items()}


def _arm(verdict: Verdict) -> dict[str, Any]:
    fields = verdict.to_json()
    return {name: fields[name] for name in ARM_FIELDS} | fields


def _chosen(material: Material) -> dict[str, Any] | None:
    if material.chosen is None:
        return None
    verdict = material.chosen.verdict
    return {"how": material.chosen.how, **(_arm(verdict) if verdict is not None else {"name": material.study.control})}
