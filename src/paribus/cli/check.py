"""``paribus check LAB``: is the data what it seems, and does the lab keep the rules of a controlled experiment?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paribus.cli import options


def check(
    name: Annotated[str, typer.Argument(metavar="LAB", help="A lab, or an experiment of it.", show_default=False)],
    run: Annotated[bool, typer.Option("--run/--no-run", help="Whether to run the experiment.")] = True,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Where the contact sheet goes; by default reports/LAB.png."),
    ] = None,
    device: options.Device = "cpu",
    store: options.StoreUrl = None,
) -> None:
    """Diagnose a lab: studies, data, learning, randomness.

    The experiment is run three times, for some 20 seconds each at most: it must repeat to the bit, draw from its seed
    alone and stay finite.

    Exits with 1 where there is a warning.
    """
    import contextlib
    import sys

    from rich.text import Text

    from paribus.cli.conducting import check_device
    from paribus.cli.files import prepare
    from paribus.cli.picture import save_picture
    from paribus.cli.standing import standing_of
    from paribus.cli.terminal import err, out
    from paribus.report.listing import finding_table, found
    from paribus.run.probe import probe, settle
    from paribus.spec.context import Context
    from paribus.spec.finding import Finding
    from paribus.spec.sound import soundness

    check_device(device)
    ground = standing_of(name, store)
    experiment, lab, console = ground.experiment, ground.experiment.lab, out()
    place = sheet or Path("reports") / f"{Path(lab.name).stem}.png"
    if lab.contact_sheet is not None:
        place = prepare(place, "--sheet", suffix=".png")
    console.print(Text.assemble((experiment.name, "bold"), f"  ({ground.reason})" if ground.reason else ""))
    if lab.data_in_words is not None:
        console.print(Text(f"Data: {lab.data_in_words(experiment.config)}"))
    if lab.network_in_words is not None:
        console.print(Text(f"Network: {lab.network_in_words(experiment.config)}"))
    findings: list[Finding] = list(soundness(lab))
    # What a lab prints is no finding: standard output is for the table.
    with err().status("looking at the data") as status, contextlib.redirect_stdout(sys.stderr):
        settle(experiment)
        for finding in lab.check(experiment.config, Context(seed=0, device=device)) if lab.check is not None else ():
            findings.append(finding)
            status.update(f"looked at {finding.check}")
        picture = lab.contact_sheet(experiment.config) if lab.contact_sheet is not None else None
        if run:
            status.update("running it three times")
            findings += probe(experiment, device=device)
    console.print(finding_table(findings))
    if picture is not None:
        console.print(Text(f"Contact sheet: {save_picture(picture, place)}"), soft_wrap=True)
    console.print(Text(found(findings)))
    if any(finding.level == "warning" for finding in findings):
        raise typer.Exit(1)
