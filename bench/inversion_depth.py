"""Draw the strip of the inversion lab's handout: what comes back from the features of each layer, one row a layer.

    python bench/inversion_depth.py [--seed N] [--out FILE]

It runs the control and the arms of the study ``inversion.depth`` for one seed, some ten seconds each.
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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path(sys.modules[type(lab.baseline).__module__].__file__ or "").parent / "depth.png"
    )
    options = parser.parse_args()
    study = paribus.study("inversion.depth")
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
    write_png(options.out, whole, experiment=study.name, seed=options.seed, rows="original, " + ", ".join(study.names))
    print(f"Written: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
