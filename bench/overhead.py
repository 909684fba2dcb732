"""What Paribus itself costs: an empty trial, from its plan to its row in the store, and ``paribus --help``.

    python bench/overhead.py [--trials N]

The empty trial is that of a lab that returns a constant at once. It is run in a process of its own, one after the
other, as ``paribus run --workers 1`` does, by a fork server that has torch loaded.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from paribus.flow import comparison, conduct
from paribus.run.local import LocalRunner
from paribus.store import Store

LAB = '''"""Nothing."""
from dataclasses import dataclass
from paribus import Lab
from paribus.spec.field_change import field_changes

@dataclass(frozen=True)
class Config:
    x: int = 0

def run(config, context):
    return {"accuracy": 1.0}

LAB = Lab(name="", question="", baseline=Config(), run=run, changes=field_changes(Config()), warm=("torch",))
'''


class Clock:
    """Hears when each trial of a study has ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def planned(self, trials: object, done: int) -> None:
        """Start the clock."""
        self.ends = [time.perf_counter()]

    def event(self, event: object) -> None:
        """Note the end of a trial."""
        if type(getattr(event, "what", None)).__name__ == "Finished":
            self.ends.append(time.perf_counter())

    def waiting(self, conductors: object) -> None:
        """Nobody else runs anything here."""


def empty(trials: int) -> list[float]:
    """Return the seconds between the ends of empty trials; the first, which starts the fork server, is left out."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder) / "empty.py"
        lab.write_text(LAB)
        study = comparison(f"{lab}/base", [f"{lab}/x=1"])
        clock = Clock()
        with Store.open(str(Path(folder) / "store.sqlite")) as store:
            conduct(study, store=store, runner=LocalRunner(workers=1), seeds=trials // 2, listener=clock)
    return [after - before for before, after in zip(clock.ends[1:], clock.ends[2:], strict=False)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=60)
    trials = parser.parse_args().trials
    show("empty trial", empty(trials))
    times = []
    for _ in range(11):
        begun = time.perf_counter()
        subprocess.run([str(Path(sys.executable).parent / "paribus"), "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    show("paribus --help", times[1:])


def show(what: str, seconds: list[float]) -> None:
    """Print the median and the range in milliseconds."""
    low, middle, high = (1000 * value for value in (min(seconds), statistics.median(seconds), max(seconds)))
    print(f"{what:24} median {middle:6.1f} ms   ({low:.1f} to {high:.1f}, n = {len(seconds)})")


if __name__ == "__main__":
    main()
