"""How often verdicts are false and how soon they come: the long simulation behind docs/concepts/verdicts.md.

    python bench/power.py [--studies 10000] [--only fixed sequential skewed_effect fixed_power ...]

Prints Markdown tables. Every rate is a share of simulated studies, with standard error sqrt(p (1 - p) / studies):
0.0022 for a rate of 0.05 at 10,000 studies. A study's scores are a part that both arms share plus one of each arm's
own, so that the sd of the difference is sqrt(2) times that of the law, unless a table says otherwise.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy
from scipy.special import stdtr, stdtrit
from scipy.stats import ttest_rel

sys.path.append(str(Path(__file__).parents[1] / "tests" / "analysis"))
from simulate import LAWS, Watched, outcomes, pairs, successes

from paribus.analysis import ArmScores, Sequential, intervals, judge
from paribus.analysis.comparison import Findings, word
from paribus.analysis.looks import MIN_PAIRS, ONCE, EverySeed, Looks
from paribus.analysis.significance import sign_flip
from paribus.spec.seed import Streams

ALPHA = 0.05


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    head = list(head)
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print("| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
    sys.stdout.flush()


def judged(estimate: intervals.Estimate, n: int, looks: Looks, margin: float = 0.0) -> tuple[str, Findings]:
    found = Findings.of(estimate, n, margin=margin, alpha=ALPHA, looks=looks)
    said = word(estimate.difference, found.p_value, found.equivalence_p, alpha=ALPHA, direction="max")
    return said, found


def fixed(studies: int) -> None:
    rows = []
    for law in LAWS:
        for n in (3, 5, 10):
            false = [
                judged(intervals.paired(c, t), n, ONCE)[0] for c, t in zip(*pairs("a/a", law, studies, n), strict=True)
            ]
            covered = 0
            for c, t in zip(*pairs("cover", law, studies, n, effect=1.5), strict=True):
                found = judged(intervals.paired(c, t), n, ONCE)[1]
                covered += found.low <= 1.5 <= found.high
            margin = 1.0
            same = [
                judged(intervals.paired(c, t), n, ONCE, margin)[0]
                for c, t in zip(*pairs("tost", law, studies, n, effect=margin), strict=True)
            ]
            rows.append(
                (law, n, 1 - false.count("undecided") / studies, covered / studies, same.count("equivalent") / studies)
            )
    head = (
        "law of the scores",
        "seeds",
        "false better or worse",
        "95 % interval covers a true effect",
        "false equivalent (truth = margin)",
    )
    table("Fixed number of seeds", head, rows)


def sequential(studies: int) -> None:
    rows = []
    for law in LAWS:
        for max_n in (10, 30):
            looks, false, covered = EverySeed(max_n), 0, 0
            for c, t in zip(*pairs("looks", law, studies, max_n), strict=True):
                ends = [judged(intervals.paired(c[:n], t[:n]), n, looks) for n in range(MIN_PAIRS, max_n + 1)]
                false += any(said != "undecided" for said, _ in ends)
                covered += all(found.low <= 0 <= found.high for _, found in ends)
            rows.append((law, max_n, false / studies, covered / studies))
    table(
        "A look after every seed",
        ("law of the scores", "planned seeds", "false verdict at any look", "all intervals cover at once"),
        rows,
    )


def skewed_effect(studies: int) -> None:
    """Where symmetry ends: the arm's own noise is exponential, the control has none, so the differences are skewed."""
    rows = []
    for n in (3, 5, 10, 30):
        rng = Streams(1).generator(f"skewed effect/{n}")
        covered = 0
        for d in rng.exponential(size=(studies, n)):
            found = judged(intervals.paired(np.zeros(n), d), n, ONCE)[1]
            covered += found.low <= 1 <= found.high
        rows.append((n, covered / studies))
    table("The limit: differences that are themselves exponential", ("seeds", "95 % interval covers"), rows)


def fixed_power(studies: int) -> None:
    rows = []
    for n in (3, 5, 10, 20):
        for effect in (0.5, 1.0, 2.0):
            rng = Streams(2).generator(f"power/{n}/{effect}")
            shared = np.sqrt(0.79) * rng.standard_normal((studies, n))
            c = shared + np.sqrt(0.21) * rng.standard_normal((studies, n))
            t = shared + np.sqrt(0.21) * rng.standard_normal((studies, n)) + effect * np.sqrt(0.42)
            ours = np.mean([judged(intervals.paired(a, b), n, ONCE)[0] == "better" for a, b in zip(c, t, strict=True)])
            unpaired = np.mean(
                [judged(intervals.welch(a, b), n, ONCE)[0] == "better" for a, b in zip(c, t, strict=True)]
            )
            flips = np.mean([sign_flip(b - a) <= ALPHA and b.mean() > a.mean() for a, b in zip(c, t, strict=True)])
            plain = np.mean((ttest_rel(t, c, axis=1).pvalue <= ALPHA) & (t.mean(1) > c.mean(1)))
            rows.append((n, effect, float(ours), float(plain), float(flips), float(unpaired)))
    table(
        "Power, fixed number of seeds (normal; effect in sds of the difference; correlation 0.79)",
        ("seeds", "effect", "Paribus", "plain paired t-test", "sign-flip test", "unpaired (Welch)"),
        rows,
    )


def sequential_power(studies: int, max_n: int = 30) -> None:
    """Compare bounds by the chance of a decision and the mean number of seeds until it; and the plain t at max_n."""

    def nominal(effect: float, stream: str, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = Streams(3).generator(stream).standard_normal((count, max_n)) + effect
        n = np.arange(MIN_PAIRS, max_n + 1)
        mean = x.cumsum(1)[:, MIN_PAIRS - 1 :] / n
        sd = np.sqrt((np.square(x).cumsum(1)[:, MIN_PAIRS - 1 :] - n * mean**2) / (n - 1))
        t = mean * np.sqrt(n) / sd
        return n, t, 2 * stdtr(n - 1, -np.abs(t))

    n, _, null = nominal(0.0, "calibrate", 200_000)
    bounds = {
        f"p ∝ n^{rho:g}": np.quantile((null * (max_n / n) ** rho).min(1), ALPHA) * (n / max_n) ** rho
        for rho in (0, 0.5, 1, 2, 3)
    }

    def mixture_crosses(t: np.ndarray, c2: float) -> np.ndarray:
        """Wang and Ramdas (2023), the Gaussian mixture in the reduced filtration: log e-value above log(1 / alpha)."""
        f, a = t * t / (n - 1), c2 / (n + c2)
        return 0.5 * np.log(a) + n / 2 * (np.log1p(f) - np.log1p(a * f)) >= np.log(1 / ALPHA)

    rows = []
    for effect in (0.3, 0.5, 0.7, 1.0, 1.5, 2.0):
        _, t, p = nominal(effect, f"effect/{effect}", studies)
        crossings = {name: p <= bound for name, bound in bounds.items()}
        crossings |= {f"t mixture, c² = {c2}": mixture_crosses(t, c2) for c2 in (1, 3)}
        row: list[object] = [effect, f"{np.mean(p[:, -1] <= ALPHA):.2f} / {max_n}"]
        for crosses in crossings.values():
            stop = np.where(crosses.any(1), n[crosses.argmax(1)], max_n)
            row.append(f"{crosses.any(1).mean():.2f} / {stop.mean():.1f}")
        rows.append(row)
    table(
        f"Power with a look after every seed up to {max_n}: chance of a decision / mean seeds (Paribus: p ∝ n^1)",
        ("effect", f"plain t, one look at {max_n}", *crossings),
        rows,
    )

    for effect in (0.5, 1.0):
        decided = []
        for x in Streams(3).generator(f"object/{effect}").standard_normal((200, max_n)) + effect:
            study = Sequential(0.0, ALPHA, max_n)
            study.update(np.zeros(2), x[:2])
            decided.append(
                next((m for m in range(3, max_n + 1) if study.update(0.0, x[m - 1]).verdict == "better"), None)
            )
        hits = [m for m in decided if m]
        print(
            f"\nThrough `Sequential` itself, 200 studies, effect {effect}: decided {len(hits) / 200:.2f}, "
            f"mean seeds {np.mean([m or max_n for m in decided]):.1f}."
        )


def crossed(studies: int) -> None:
    """Which interval for new seeds and new examples: false verdicts of five candidates on the same A/A studies."""
    rows = []
    for seeds in (3, 5, 10):
        for seed_sd, interaction in ((0.05, 0.0), (0.3, 0.0), (0.05, 0.25), (0.3, 0.25), (0.05, 0.7), (0.3, 0.7)):
            rng = Streams(4).generator(f"crossed/{seeds}/{seed_sd}/{interaction}")
            counts = np.zeros(4)
            boot = 0
            for study in range(studies):
                control, treated = outcomes(rng, seeds, 200, seed_sd=seed_sd, interaction=interaction)
                d = treated.astype(np.int8) - control.astype(np.int8)
                ours = intervals.crossed(d)
                mean, s = abs(ours.difference), ours.seed
                e = ours.example.se**2 if ours.example else 0.0
                total = s.se**2 + e
                df = total**2 / max(s.se**4 / s.df + e**2 / 199, 1e-300)
                counts += (
                    mean > ours.half_width(ALPHA),
                    mean > s.half_width(ALPHA),
                    mean > -stdtrit(df, ALPHA / 2) * np.sqrt(total),
                    mean > 1.96 * (control.mean(0) - treated.mean(0)).std(ddof=1) / np.sqrt(200),
                )
                if study < 500:
                    weights = rng.multinomial(seeds, [1 / seeds] * seeds, 500) @ d
                    means = (weights * rng.multinomial(200, [1 / 200] * 200, 500)).sum(1) / (seeds * 200)
                    low, high = np.quantile(means, (ALPHA / 2, 1 - ALPHA / 2))
                    boot += not low <= 0 <= high
            rows.append((seeds, seed_sd, interaction, *map(float, counts / studies), boot / min(500, studies)))
    table(
        "New seeds and new examples: false verdicts at alpha = 0.05, 200 binary examples",
        (
            "seeds",
            "sd of seeds (latent)",
            "arm x example interaction",
            "Paribus (Howe)",
            "seeds only",
            "Satterthwaite",
            "examples only",
            "pigeonhole bootstrap (500 studies)",
        ),
        rows,
    )


def family(studies: int) -> None:
    rows = []
    for arms in (2, 4, 8):
        for max_n in (None, 5):
            rng = Streams(5).generator(f"family/{arms}")
            holm = alone = 0
            for _ in range(studies):
                scores = rng.standard_normal((arms + 1, 5)) + rng.standard_normal(5)
                control, *others = (
                    ArmScores(name=str(i), scores=dict(enumerate(map(float, row)))) for i, row in enumerate(scores)
                )
                verdicts = judge(control, others, direction="max", margin=0.0, alpha=ALPHA, max_n=max_n)
                holm += any(verdict.verdict != "undecided" for verdict in verdicts)
                alone += any(verdict.p_value <= ALPHA for verdict in verdicts)
            rows.append((arms, max_n or "once", holm / studies, alone / studies))
    table(
        "Whole studies of several arms, none of which differs, 5 seeds",
        ("arms", "looks", "any false verdict", "without Holm"),
        rows,
    )


def stopping_apart(studies: int) -> None:
    """What ``--until-decided`` does: a look after every seed, and an arm that is decided gets no more of them.

    The first arm truly helps, by three standard deviations of the law. The others count: they do not, or they differ by
    just the margin.
    """
    rows = []
    for arms in (2, 4, 8):
        row: list[object] = [arms]
        for effect, margin, false in ((0.0, 0.0, {"better", "worse"}), (1.0, 1.0, {"equivalent"})):
            rng, count, apart = Streams(6).generator(f"apart/{arms}/{margin}"), 0, 0
            for _ in range(studies):
                scores = rng.standard_normal((arms + 1, 10)) + rng.standard_normal(10)
                scores[1] += 3.0
                scores[2:] += effect
                watched = Watched(scores, margin=margin, alpha=ALPHA)
                count += not watched.run().isdisjoint(false)
                apart += len(set(watched.counts.values())) > 1
            row += [count / studies, apart / studies]
        rows.append(row)
    table(
        f"Studies of several arms that stop apart, a look after every seed up to 10 ({studies} studies)",
        (
            "arms, one of which truly helps",
            "any false better or worse at any look",
            "studies whose arms stopped apart",
            "any false equivalent at any look (truth = margin)",
            "studies whose arms stopped apart",
        ),
        rows,
    )


def ties(studies: int) -> None:
    rows = []
    for rates in ((0.9, 0.6), (0.95, 0.85), (0.99, 0.9)):
        for n in (3, 5, 10, 30):
            row: list[object] = [*rates, n]
            for margin in (0.05, rates[0] - rates[1]):
                c, t = successes(f"tie/{margin}", studies, n, rates)
                said = [judged(intervals.paired(a, b), n, ONCE, margin)[0] for a, b in zip(c, t, strict=True)]
                row.append(said.count("equivalent") / studies)
            same = zip(*successes("a/a", studies, n, (rates[0], rates[0])), strict=True)
            row.append(float(np.mean([judged(intervals.paired(a, b), n, ONCE)[0] != "undecided" for a, b in same])))
            row.append(float(np.mean((t - c == (t - c)[:, :1]).all(1))))
            rows.append(row)
    head = (
        "rate of the control",
        "rate of the arm",
        "seeds",
        "false equivalent, margin 0.05",
        "false equivalent, truth = margin",
        "false better or worse, both at the control's rate",
        "studies without a spread",
    )
    table("Scores of success or failure, fixed number of seeds", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10_000)
    parts = {
        "fixed": (fixed, 1),
        "sequential": (sequential, 1),
        "skewed_effect": (skewed_effect, 1),
        "fixed_power": (fixed_power, 1),
        "sequential_power": (sequential_power, 1),
        "crossed": (crossed, 1),
        "family": (family, 2),
        "stopping_apart": (stopping_apart, 5),
        "ties": (ties, 1),
    }
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    given = parser.parse_args()
    studies = given.studies
    start = time.perf_counter()
    print(
        f"{studies} studies a cell; {datetime.date.today()}; Python {platform.python_version()}, "
        f"NumPy {np.__version__}, SciPy {scipy.__version__}; `python bench/power.py --studies {studies}`"
    )
    for name in given.only:
        part, fewer = parts[name]
        part(studies // fewer)
    print(f"\nTook {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
