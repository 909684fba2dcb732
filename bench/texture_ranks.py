"""Which measure of a texture puts the methods in the same order, whatever network it is taken on?

    python bench/texture_ranks.py                     # into the lab's README.md
    python bench/texture_ranks.py --dry-run           # printed

The methods are the losses of the study ``texture.loss`` on the lab's default base. All optimised their images on one
network, which is no judge here. Each measure ranks them on each judging network by its mean over the seeds that all
have; Kendall's W says how far the judges agree. Beside it stands what judges do who rank at random, by simulation.
Trials that are in the store are not run again.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

import paribus
from paribus.exhibit import exhibit
from paribus.labs.texture.experiments import BASELINE, JUDGES, LOSS_NAMES
from paribus.report.live import LiveView

STUDY = "texture.loss"
JUDGING = tuple(judge for judge, network in JUDGES.items() if network != BASELINE.network)
DRAWS = 1000
Scores = NDArray[np.float64]


def main() -> int:
    """Run what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="a store's URL or file; by default the usual one")
    parser.add_argument("--dry-run", action="store_true", help="print the table and leave the handout alone")
    options = parser.parse_args()
    table = _table(_metrics(options.store))
    if options.dry_run:
        print(table)
        return 0
    handout = Path(sys.modules["paribus.labs.texture"].__file__ or "").parent / "README.md"
    marker = re.compile(r"(<!-- measured: ranks -->\n).*?(<!-- end -->)", re.DOTALL)
    handout.write_text(marker.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", handout.read_text()))
    print(f"Written: {handout}")
    return 0


def kendall_w(ranks: Scores) -> float:
    """Return Kendall's coefficient of concordance of *ranks*, (judges, methods), without ties.

    W = 12 S / (m^2 (n^3 - n)), S the sum of squared deviations of the methods' sums of ranks from their mean.
    """
    judges, methods = ranks.shape
    sums = ranks.sum(axis=0)
    return float(12 * np.square(sums - sums.mean()).sum() / (judges**2 * (methods**3 - methods)))


def _metrics(store: str | None) -> dict[str, dict[str, dict[int, float]]]:
    """Return by method and metric the value of each seed."""
    lab = paribus.lab("texture")
    assert lab.default_base is not None
    base = lab.default_base().name
    with paribus.Store.open(store) as opened, LiveView() as view:
        done = paribus.conduct(paribus.study(STUDY), store=opened, base=base, listener=view)
        material = exhibit(done.results)
    return {
        "gram" if arm is material.control else arm.label: {name: dict(each) for name, each in arm.metrics.items()}
        for arm in (material.control, *material.arms)
    }


def _table(found: dict[str, dict[str, dict[int, float]]]) -> str:
    methods = list(found)
    seeds = sorted(set.intersection(*(set(metrics["patch_distance"]) for metrics in found.values())))

    def scores(metric: str) -> Scores:
        return np.array([[found[method][metric][seed] for method in methods] for seed in seeds])

    patch = scores("patch_distance")
    drawn = np.random.default_rng(0).integers(0, len(seeds), (DRAWS, len(seeds)))
    rows = [
        "| measure | Kendall's W over judges [95 % of resamples] | rank correlation with patches | best to worst |",
        "| --- | --- | --- | --- |",
    ]
    for loss in LOSS_NAMES:
        values = [scores(f"{loss}_on_{judge}") for judge in JUDGING]
        ranks = _ranks([value.mean(axis=0) for value in values])
        resampled = [kendall_w(_ranks([value[rows_].mean(axis=0) for value in values])) for rows_ in drawn]
        low, high = np.quantile(resampled, (0.025, 0.975))
        together = ranks.mean(axis=0)
        agreement = float(spearmanr(together, patch.mean(axis=0)).statistic)
        order = ", ".join(f"`{methods[place]}`" for place in np.argsort(together, kind="stable"))
        rows.append(f"| `{loss}` | {kendall_w(ranks):.2f} [{low:.2f}, {high:.2f}] | {agreement:+.2f} | {order} |")
    order = ", ".join(f"`{methods[place]}`" for place in np.argsort(patch.mean(axis=0), kind="stable"))
    rows.append(f"| `patch_distance`, no network | | | {order} |")
    mean, high = _by_chance(len(JUDGING), len(methods))
    return "\n".join(rows) + (
        f"\n\n{len(methods)} methods; means over the {len(seeds)} seeds that all have; judges: {', '.join(JUDGING)}. "
        f"Judges who rank at random have a W of {mean:.2f}, and one above {high:.2f} in 5 % of cases."
    )


def _by_chance(judges: int, methods: int) -> tuple[float, float]:
    """Return mean and 95 % quantile of W where every judge ranks at random."""
    random = np.random.default_rng(0)
    drawn = [kendall_w(np.array([random.permutation(methods) + 1.0 for _ in range(judges)])) for _ in range(10 * DRAWS)]
    return float(np.mean(drawn)), float(np.quantile(drawn, 0.95))


def _ranks(values: list[Scores]) -> Scores:
    return np.array([rankdata(value, method="ordinal") for value in values])


if __name__ == "__main__":
    sys.exit(main())
