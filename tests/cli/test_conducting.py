"""What a run tells its user while others run trials of it too."""

from __future__ import annotations

import io

from rich.console import Console

from paribus.cli.conducting import Tally
from paribus.report.live import LiveView


def test_a_run_says_whose_trials_it_waits_for() -> None:
    file = io.StringIO()
    with LiveView(Console(file=file, width=80)) as view:
        Tally(view).waiting({"a": "process 7 on here", "b": "process 7 on here"})
    assert file.getvalue() == "waiting for 2 trials of process 7 on here\n"
