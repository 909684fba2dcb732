"""``paribus analyze FILE``: verdicts for a table of results made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli import options


def analyze(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file of scores.", show_default=False)],
    control: Annotated[str, typer.Option("--control", metavar="ARM", help="The arm to compare with.")],
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric", metavar="COLUMN", help="The metric's column, where several could be; its name, if no column is."
        ),
    ] = None,
    arm_column: Annotated[
        str | None, typer.Option("--arm-column", metavar="COLUMN", help="The column of the arms, where not found.")
    ] = None,
    seed_column: Annotated[
        str | None,
        typer.Option(
            "--seed-column", metavar="COLUMN", help="The column of the seeds, where not found; none: unpaired."
        ),
    ] = None,
    margin: options.Margin = None,
    alpha: options.Alpha = None,
    direction: options.DirectionWord = None,
    json_file: options.JsonFile = None,
    store: options.UnusedStoreUrl = None,
) -> None:
    """Judge a table of results from elsewhere.

    An export of W&B or MLflow, a spreadsheet saved as CSV.

    One row a trial, with columns for arm, seed and metric; or one row a seed and one column an arm. Of several steps
    of a run, the last row alone. Arms that share no seeds are judged unpaired.
    """
    from paribus.analysis import judge, read_table
    from paribus.analysis.scores import check_margin
    from paribus.cli.direction import direction_of
    from paribus.cli.elsewhere import material_of
    from paribus.cli.files import prepare
    from paribus.cli.handing import STANDARD_OUTPUT, hand_over
    from paribus.cli.terminal import say
    from paribus.spec.study import Study

    table = read_table(file, control=control, metric=metric, arm=arm_column, seed=seed_column)
    if json_file not in (None, STANDARD_OUTPUT):
        prepare(Path(json_file), "--json")
    study = Study(
        name=file.stem,
        question=f"Which arms of {file.name} differ from {control}?",
        control=control,
        arms=tuple(arm.name for arm in table.arms),
        metric=table.metric,
        direction=direction_of(direction, table.metric),
        margin=margin or 0.0,
        alpha=0.05 if alpha is None else alpha,
    )
    for note in table.notes:
        say(f"note: {note}")
    check_margin(study.metric, study.margin, (v for arm in (table.control, *table.arms) for v in arm.scores.values()))
    verdicts = judge(
        table.control,
        table.arms,
        direction=study.direction,
        margin=study.margin,
        alpha=study.alpha,
        metric=study.metric,
        or_unpaired=True,
    )
    hand_over(material_of(study, table, verdicts, file), None, json_file)
