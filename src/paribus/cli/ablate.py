"""``paribus ablate NAME``: what each change of an experiment contributes."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli import options


def ablate(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An experiment with one change or more.", show_default=False)
    ],
    metric: options.Metric = None,
    margin: options.Margin = None,
    direction: options.DirectionWord = None,
    alpha: options.Alpha = None,
    seeds: options.Seeds = None,
    until_decided: options.UntilDecided = False,
    max_seeds: options.MaxSeeds = None,
    workers: options.Workers = 0,
    device: options.Device = "cpu",
    json_file: options.JsonFile = None,
    report: options.ReportFile = None,
    store: options.StoreUrl = None,
) -> None:
    """Drop each change of an experiment in turn.

    The table says what each change contributes; the page and the JSON compare each experiment that lacks one with the
    whole.
    """
    from rich.console import Group, RenderableType
    from rich.text import Text

    from paribus import analysis
    from paribus.cli.conducting import Wishes, conduct_in_view
    from paribus.cli.direction import direction_in
    from paribus.cli.naming import find
    from paribus.flow import ablation, droppable
    from paribus.gather import Results
    from paribus.report.listing import ablation_table
    from paribus.report.material import Material
    from paribus.report.table import warning_lines
    from paribus.spec.experiment import Experiment

    wishes = Wishes(
        store=store,
        seeds=seeds,
        until_decided=until_decided,
        max_seeds=max_seeds,
        workers=workers,
        device=device,
        json_file=json_file,
        report=report,
    )
    whole = find(name, store)
    way = direction_in(whole.lab, direction, metric)
    study = ablation(whole.name, metric=metric, margin=margin, direction=way, alpha=alpha)

    def show(results: Results, material: Material) -> RenderableType:
        drops = droppable(whole)
        names = {found.name: segment for segment, found in drops.items() if isinstance(found, Experiment)}
        full, *arms = results.scores
        contributions = analysis.ablate(
            full,
            {names[arm.name]: arm for arm in arms},
            direction=study.direction,
            margin=study.margin,
            alpha=study.alpha,
            max_n=results.max_seeds,
        )
        kept = [
            Text(f"{segment} cannot be dropped alone: {reason}", "dim")
            for segment, reason in drops.items()
            if not isinstance(reason, Experiment)
        ]
        return Group(ablation_table(whole.name, study.metric, contributions), *kept, *warning_lines(material))

    conduct_in_view(study, wishes, show=show)
