"""``paribus compare CONTROL ARM...``: a study of names given by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli import options


def compare(
    control: Annotated[
        str, typer.Argument(metavar="CONTROL", help="The experiment to compare with.", show_default=False)
    ],
    arms: Annotated[
        list[str], typer.Argument(metavar="ARM...", help="The experiments that differ from it.", show_default=False)
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
    """Compare experiments by name, as a study does.

    For instance: paribus compare my_lab.py/base my_lab.py/rate=0.3
    """
    from paribus.cli.conducting import Wishes, conduct_in_view
    from paribus.cli.direction import direction_in
    from paribus.cli.naming import find, written_out
    from paribus.flow import comparison

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
    against = find(control, store)
    study = comparison(
        against.name,
        [written_out(arm, store) for arm in arms],
        metric=metric,
        margin=margin,
        direction=direction_in(against.lab, direction, metric),
        alpha=alpha,
    )
    conduct_in_view(study, wishes)
