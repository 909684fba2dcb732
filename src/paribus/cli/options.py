"""The options that several commands share, each worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="PARIBUS_STORE",
        show_envvar=True,
        help="Where trials are kept: a file or a database URL; by default a file in your data folder.",
    ),
]
UnusedStoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="PARIBUS_STORE",
        help="Taken by every command; this one keeps nothing in the store.",
    ),
]
BaseName = Annotated[
    str | None,
    typer.Option("--base", metavar="NAME", help="The experiment to put every arm on, instead of the lab's own choice."),
]
Seeds = Annotated[
    int | None,
    typer.Option("--seeds", metavar="N", min=1, help="Seeds 0 .. N-1 in every arm, instead of the study's own number."),
]
UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Add seeds one by one until every arm, and the chosen one, is decided; looking often is paid for.",
    ),
]
MaxSeeds = Annotated[
    int | None,
    typer.Option("--max-seeds", metavar="N", min=1, help="The most seeds that --until-decided may use (default 30)."),
]
Workers = Annotated[
    int,
    typer.Option("--workers", metavar="N", min=0, help="Trials at once; 0 is one a core.", show_default=False),
]
Device = Annotated[str, typer.Option("--device", metavar="D", help="Where trials compute: cpu, cuda, cuda:1 or mps.")]
JsonFile = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the verdicts as JSON; - is standard output, with nothing else."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Where the HTML page goes; by default reports/STUDY.html."),
]
Metric = Annotated[
    str | None, typer.Option("--metric", metavar="M", help="The metric that decides, instead of the lab's own.")
]
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin",
        metavar="X",
        help="The smallest difference that matters, in the metric's unit: 0.01 is a point of an accuracy up to 1.",
    ),
]
DirectionWord = Annotated[
    str | None, typer.Option("--direction", metavar="max|min", help="Whether more (max) or less (min) is better.")
]
Alpha = Annotated[
    float | None, typer.Option("--alpha", metavar="A", help="The accepted rate of false verdicts, 0.05 by default.")
]
