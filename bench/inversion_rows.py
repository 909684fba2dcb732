"""Draw what comes back in the arms of a study of the inversion lab, one row an arm, for the handout.

    python bench/inversion_rows.py depth [--seed N] [--out FILE]

It runs the study's control and arms for one seed, some ten seconds each; the photographs are the first row.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import paribus
from paribus.data.pictures import write_png
from paribus.spec.context import Artifact, Context, Report

ENLARGED = 2
"""How many times its size each pixel has in the figure."""


def main() -> int:
    """Run the arms and write the figure."""
    lab = paribus.lab("inversion")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topic", help="depth, weights_deep, ...")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="by default TOPIC.png beside the handout")
    options = parser.parse_args()
    study = paribus.study(f"inversion.{options.topic}")
    folder = Path(sys.modules[type(lab.baseline).__module__].__file__ or "").parent
    out = options.out or folder / f"{options.topic}.png"
    rows: list[NDArray[np.uint8]] = []
    for name in study.names:
        found: dict[str, NDArray[np.uint8]] = {}

        def keep(report: Report, found: dict[str, NDArray[np.uint8]] = found) -> None:
            if isinstance(report, Artifact):
                found[report.name] = report.array

        metrics = lab.run(paribus.experiment(name).config, Context(seed=options.seed, emit=keep))
        print(name, {key: round(value, 3) for key, value in metrics.items()}, file=sys.stderr)
        rows += [found["picture/found"]] if rows else [found["picture/original"], found["picture/found"]]
    whole = np.concatenate(rows).repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    write_png(out, whole, experiment=study.name, seed=options.seed, rows="original, " + ", ".join(study.names))
    print(f"Written: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
