"""Draw what the arms of a study make of its pictures, one row an arm, for a handout: labs whose trials show images.

    python bench/arm_rows.py inversion.depth [--base NAME] [--seed N] [--out FILE]
    python bench/arm_rows.py texture.loss

It runs the study's control and arms for one seed, some ten seconds each; what they were given is the first row.
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

Picture = NDArray[np.uint8]
LEAST_WIDTH = 512
"""Narrower figures are enlarged by a whole factor."""


def main() -> int:
    """Run the arms and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="inversion.depth, texture.loss, ...")
    parser.add_argument("--base", help="an experiment's name; by default the lab's own choice")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="by default TOPIC.png beside the handout")
    options = parser.parse_args()
    lab_name, _, topic = options.study.rpartition(".")
    lab = paribus.lab(lab_name)
    base = options.base or (lab.default_base().name if lab.default_base else None)
    study = paribus.study(options.study)
    study = study.on(base) if base else study
    folder = Path(sys.modules[type(lab.baseline).__module__].__file__ or "").parent
    rows: list[Picture] = []
    for name in study.names:
        found: dict[str, Picture] = {}

        def keep(report: Report, found: dict[str, Picture] = found) -> None:
            if isinstance(report, Artifact):
                found[report.name] = report.array

        metrics = lab.run(paribus.experiment(name).config, Context(seed=options.seed, emit=keep))
        shown = ", ".join(f"{key} {value:.3g}" for key, value in list(metrics.items())[:4])
        print(f"{name}: {shown}", file=sys.stderr, flush=True)
        rows += [found["picture/found"]] if rows else [found["picture/original"], found["picture/found"]]
    whole = np.concatenate(rows)
    times = max(1, LEAST_WIDTH // whole.shape[1])
    whole = whole.repeat(times, axis=0).repeat(times, axis=1)
    out = options.out or folder / f"{topic}.png"
    write_png(out, whole, experiment=study.name, seed=options.seed, rows="given, " + ", ".join(study.names))
    print(f"Written: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
