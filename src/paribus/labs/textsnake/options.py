"""Options that several verbs of this lab take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Device = Annotated[str, typer.Option("--device", metavar="D", help="cpu, cuda, cuda:1 or mps.")]
GroundTruth = Annotated[
    Path,
    typer.Option("--ground-truth", metavar="DIR", help="The folder of the published data set.", show_default=False),
]
DataSet = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="NAME",
        help="total_text, ctw1500, icdar2015, msra_td500 or synthtext: how it is laid out.",
        show_default=False,
    ),
]
SkipBroken = Annotated[
    bool,
    typer.Option(
        "--skip-broken",
        help="Leave out broken images, take broken annotations as do-not-care, and say so, instead of stopping.",
    ),
]
