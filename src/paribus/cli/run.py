"""``paribus run LAB.STUDY``: a study, from its missing trials to its verdicts."""

from __future__ import annotations

from typing import Annotated

import typer

from paribus.cli import options


def run(
    study: Annotated[str, typer.Argument(metavar="LAB.STUDY", help="A study, e.g. svhn.softmax.", show_default=False)],
    base: options.BaseName = None,
    seeds: options.Seeds = None,
    until_decided: options.UntilDecided = False,
    max_seeds: options.MaxSeeds = None,
    workers: options.Workers = 0,
    device: options.Device = "cpu",
    json_file: options.JsonFile = None,
    report: options.ReportFile = None,
    store: options.StoreUrl = None,
) -> None:
    """Run a study to its verdicts and its report.

    Interrupted, the same command goes on where it stopped.

    Exits with 1 where a trial failed with an error; a trial that diverged is a finding, no failure.
    """
    from paribus.cli.conducting import Wishes, conduct_in_view
    from paribus.cli.files import default_page
    from paribus.cli.standing import standing
    from paribus.spec import registry

    found = registry.study(study)
    ground = standing(found, base, store)
    wishes = Wishes(
        store=store,
        seeds=seeds,
        until_decided=until_decided,
        max_seeds=max_seeds,
        workers=workers,
        device=device,
        json_file=json_file,
        report=report or default_page(found, ground.base if base is not None else None),
    )
    conduct_in_view(found, wishes, base=ground.base, base_reason=ground.reason)
