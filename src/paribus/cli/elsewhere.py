"""Results made elsewhere, as the verdict table wants them."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from paribus.analysis import ArmScores, Table, Verdict
from paribus.cli.typed import typed
from paribus.report.material import ArmMaterial, Material
from paribus.spec.study import Study


def material_of(study: Study, table: Table, verdicts: Sequence[Verdict], source: Path) -> Material:
    """Return what a verdict table shows of *table*, which came from the file *source*."""
    every = (table.control, *table.arms)
    costs = [scores.seconds * len(scores.scores) for scores in every if scores.seconds is not None]
    return Material(
        study=study,
        base="",
        base_reason="",
        data=f"results made elsewhere, from {source}{_label(table)}",
        verdicts=tuple(verdicts),
        control=_arm(table.control),
        arms=tuple(_arm(scores) for scores in table.arms),
        environment={},
        command=shlex.join(typed()),
        made=datetime.now(UTC),
        seconds=sum(costs) if len(costs) == len(every) else math.nan,
    )


def _label(table: Table) -> str:
    return f", which does not say what it measures: called {table.metric} by --metric" if table.labelled else ""


def _arm(scores: ArmScores) -> ArmMaterial:
    return ArmMaterial(name=scores.name, label=scores.name, scores=scores)
