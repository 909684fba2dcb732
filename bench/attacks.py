"""Attacks side by side with the public implementations: same model, images, budget, machine, one run.

    python bench/attacks.py                                  # five attacks against torchattacks and foolbox
    python bench/attacks.py --images 64 --only pgd,square    # some of them
    python bench/attacks.py --standard                       # AutoAttack with its full budget: takes long
    python bench/attacks.py --agree --data digits --eps 0.15 --seeds 5   # beside the public AutoAttack, part by part
    python bench/attacks.py --agree --only all --data digits --part train --images 1000 --eps 0.15 --seeds 5   # whole
    python bench/attacks.py --agree --their-starts ...       # the same without chance, see their_starts.py

The public ones are no dependencies of Paribus. ``pip install --no-deps torchattacks==3.5.1 foolbox==3.3.4 eagerpy
GitPython gitdb smmap requests charset-normalizer idna urllib3 certifi`` brings the first two; the public AutoAttack is
the package ``autoattack`` of https://github.com/fra31/auto-attack. What is not installed is left out, and said so.

Images are the first test images (with ``--part train`` those that a network has learnt) of CIFAR-10 (``paribus data get
cifar10``), of a folder (``--data image_folder=DIR``), or scanned digits, for which a small network is trained here
first on adversarial examples (``--data digits``).

Seconds are those of the processor: with one thread what a clock shows on an idle machine, and about the same on a busy
one. With more ``--threads`` they are a clock's, so the machine has to be idle. Success counts on the model in float32,
on what each implementation returns. Paribus is measured in float32 and with its search in bfloat16, whose finds float32
confirms; Square has float32 alone.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from their_starts import Starts
from torch import Tensor

from paribus.data.catalogue import load
from paribus.errors import ParibusError
from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.autoattack import AutoAttack
from paribus.labs.adversarial.attacks.carlini_wagner import CarliniWagner
from paribus.labs.adversarial.attacks.deepfool import DeepFool
from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.data import tensors
from paribus.labs.adversarial.experiments import Config, Protocol, Recipe, Trained
from paribus.labs.adversarial.run import victim_of
from paribus.nn.networks.names import fixed
from paribus.spec.context import Context
from paribus.spec.seed import Streams

Run = Callable[[], Tensor]
ATTACKS = ("pgd", "cw", "deepfool", "square", "autoattack")
PARTS = ("apgd-ce", "apgd-t", "fab-t", "square", "all")
"""Of the public AutoAttack, by its own names, and the whole."""
WARM_UP = 4


@dataclass(frozen=True)
class Row:
    """One implementation's run of one attack."""

    attack: str
    by: str
    success: int
    distance: float
    seconds: float
    """Of the processor where there is one thread, else of a clock."""


def main() -> int:
    """Measure and print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="small_vgg:cifar10_robust")
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--part", default="test", choices=("train", "test"), help="there are more to train on")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--eps", type=float, help="in linf; by default 8/255, for digits 0.05")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help=f"some of {', '.join(ATTACKS)}; of --agree {', '.join(PARTS)}")
    parser.add_argument("--standard", action="store_true", help="AutoAttack with 100 steps and 5,000 queries")
    parser.add_argument("--agree", action="store_true", help="robust accuracy beside the public AutoAttack, no other")
    parser.add_argument("--norm", default="linf", help="of --agree: linf or l2")
    parser.add_argument("--seeds", type=int, default=1, help="of --agree: how many")
    parser.add_argument(
        "--their-starts", action="store_true", help="of --agree: Auto-PGD begins where the public one did"
    )
    options = parser.parse_args()
    known = PARTS if options.agree else ATTACKS
    only = options.only.split(",") if options.only else known
    if unknown := set(only) - set(known):
        parser.error(f"--only {min(unknown)}: some of {', '.join(known)} are expected")
    torch.set_num_threads(options.threads)
    try:
        model, images, labels, words = _setting(options)
    except ParibusError as error:
        parser.error(str(error))
    eps = options.eps or (0.05 if options.data == "digits" else 8 / 255)
    right = int((model(images).argmax(dim=1) == labels).sum())
    threads = f"{options.threads} thread{'s' * (options.threads > 1)}"
    print(f"{words}; {len(labels)} images, {right} of them right; {options.norm} {eps:.4f}; {threads}; {_machine()}\n")
    if options.agree:
        return _agree(model, images, labels, eps, only, options)
    rows: list[Row] = []
    for name in only:
        for by, run in _runs(name, model, images, labels, eps, options.standard).items():
            rows.append(_timed(name, by, run, model, images, labels))
            print(f"  {rows[-1]}", file=sys.stderr, flush=True)
    print(_table(rows, len(labels)))
    return 0


def _setting(options: argparse.Namespace) -> tuple[Any, Tensor, Tensor, str]:
    protocol = Protocol(images=options.images)
    if options.data == "digits":
        config = Config(victim=Trained(recipe=Recipe(kind="pgd")), protocol=protocol)
        words = "a small network trained on scanned digits by PGD-AT"
    else:
        config = Config(data=options.data, victim=fixed(options.network), protocol=protocol)
        words = ""
    network, _ = victim_of(config, Context(seed=0))
    images, labels = tensors(load(options.data, options.part, limit=options.images), torch.device("cpu"))
    return network, images, labels, words or str(getattr(network, "in_words", options.network))


def _runs(name: str, model: Any, images: Tensor, labels: Tensor, eps: float, standard: bool) -> dict[str, Run]:
    """Return for each implementation that is here what runs the attack called *name*."""
    found: dict[str, Run] = {}
    for precision in ("float32", "bfloat16"):
        for variant, attack in _ours(name, eps, precision, standard).items():
            found[f"Paribus {precision}{variant}"] = _run_ours(attack, model, images, labels)
    public = _optional("torchattacks")
    if public is not None:
        found |= {f"torchattacks{variant}": (lambda made=made: made(images, labels))  # type: ignore[misc]
                  for variant, made in _torchattacks(public, name, model, eps, standard).items()}  # fmt: skip
    public = _optional("foolbox")
    if public is not None:
        attack = _foolbox(public, name)
        if attack is not None:
            bounded = public.PyTorchModel(model, bounds=(0, 1))
            radius = eps if name == "pgd" else None
            found[f"foolbox{' (5 weights)' if name == 'cw' else ''}"] = lambda: attack(
                bounded, images, labels, epsilons=radius
            )[1]
    return found


def _run_ours(attack: Attack, model: Any, images: Tensor, labels: Tensor) -> Run:
    return lambda: attack(model, images, labels, streams=Streams(0)).images


def _ours(name: str, eps: float, precision: str, standard: bool) -> dict[str, Attack]:
    steps, queries = _budget(standard)
    if name == "pgd":
        return {"": PGD(eps=eps, steps=50, step=0.25, precision=precision)}
    if name == "cw":
        return {
            " (c = 1)": CarliniWagner(steps=50, searches=1, first=1.0, precision=precision),
            " (5 weights)": CarliniWagner(steps=50, searches=5, first=1.0, precision=precision),
        }
    if name == "deepfool":
        return {"": DeepFool(precision=precision)}
    if name == "square":
        return {"": Square(eps=eps, queries=1000)} if precision == "float32" else {}
    return {"": AutoAttack(eps=eps, steps=steps, queries=queries, precision=precision)}


def _torchattacks(public: Any, name: str, model: Any, eps: float, standard: bool) -> dict[str, Any]:
    steps, queries = _budget(standard)
    if name == "pgd":
        return {"": public.PGD(model, eps=eps, alpha=eps / 4, steps=50)}
    if name == "cw":
        return {" (c = 1)": public.CW(model, c=1, steps=50, lr=0.01)}
    if name == "deepfool":
        return {"": public.DeepFool(model, steps=50)}
    if name == "square":
        return {"": public.Square(model, eps=eps, n_queries=1000)}
    parts = [
        public.APGD(model, eps=eps, steps=steps, loss="ce"),
        public.APGDT(model, eps=eps, steps=steps),
        public.FAB(model, eps=eps, steps=steps, multi_targeted=True),
        public.Square(model, eps=eps, n_queries=queries, resc_schedule=False),
    ]
    return {"": public.MultiAttack(parts)}


def _foolbox(public: Any, name: str) -> Any:
    if name == "pgd":
        return public.attacks.LinfPGD(rel_stepsize=0.25, steps=50)
    if name == "cw":
        return public.attacks.L2CarliniWagnerAttack(
            binary_search_steps=5, steps=50, stepsize=0.01, initial_const=1.0, abort_early=True
        )
    if name == "deepfool":
        return public.attacks.L2DeepFoolAttack(steps=50)
    return None  # foolbox has neither Square nor AutoAttack


def _budget(standard: bool) -> tuple[int, int]:
    """Return AutoAttack's gradient steps and Square's queries."""
    return (100, 5000) if standard else (20, 500)


def _timed(name: str, by: str, run: Run, model: Any, images: Tensor, labels: Tensor) -> Row:
    with torch.no_grad():
        for _ in range(WARM_UP):
            model(images)
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    result = run()
    seconds = clock() - start
    with torch.no_grad():
        broken = model(result).argmax(dim=1) != labels
        mine = broken & (model(images).argmax(dim=1) == labels)  # those that it took an attack to break
        far = (result - images).flatten(1)[mine].norm(dim=1)
    return Row(name, by, int(broken.sum()), float(far.median()) if len(far) else 0.0, seconds)


def _table(rows: list[Row], count: int) -> str:
    kind = "CPU seconds" if torch.get_num_threads() == 1 else "seconds"
    lines = [f"| attack | by | broken | median L2 | {kind} | times as long as Paribus float32 | as bfloat16 |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for row in rows:
        ratios = []
        for precision in ("float32", "bfloat16"):
            variant = row.by[row.by.find(" (") :] if " (" in row.by else ""
            own = [one for one in rows if (one.attack, one.by) == (row.attack, f"Paribus {precision}{variant}")]
            ratios.append("" if row.by.startswith("Paribus") or not own else f"{row.seconds / own[0].seconds:.2f}")
        lines.append(
            f"| {row.attack} | {row.by} | {row.success} of {count} | {row.distance:.3f} | {row.seconds:.2f} | "
            f"{' | '.join(ratios)} |"
        )
    return "\n".join(lines)


def _agree(
    model: Any, images: Tensor, labels: Tensor, eps: float, only: Sequence[str], options: argparse.Namespace
) -> int:
    """Run the parts *only* of both AutoAttacks, each on all images, and print what they leave robust."""
    public, norm = _optional("autoattack"), options.norm
    if public is None and options.their_starts:
        return 2
    ours: dict[str, Attack] = {
        "apgd-ce": APGD(norm=norm, eps=eps),
        "apgd-t": TargetedAPGD(norm=norm, eps=eps),
        "fab-t": TargetedFAB(norm=norm, eps=eps),
        "square": Square(norm=norm, eps=eps, queries=5000, rescale=False),
        "all": AutoAttack(norm=norm, eps=eps),
    }
    print("| part | seed | robust by Paribus | by the public one | broken by Paribus alone | by the public one alone | "
          "CPU seconds | of the public one |\n| --- | --- | --- | --- | --- | --- | --- | --- |")  # fmt: skip
    for part_of in only:
        for seed in range(options.seeds):
            starts, theirs, begun = Starts(), None, time.process_time()
            if public is not None:
                other = public.AutoAttack(
                    model, norm={"linf": "Linf", "l2": "L2"}[norm], eps=eps, seed=seed, device="cpu", verbose=False
                )
                if part_of != "all":
                    other.attacks_to_run = [part_of]
                with torch.random.fork_rng(devices=[]), starts.kept(public.autopgd_base):
                    points = other.run_standard_evaluation(images, labels, bs=len(labels))
                theirs = model(points).argmax(dim=1) != labels
            between = time.process_time()
            with starts.given() if options.their_starts else contextlib.nullcontext():
                found = ours[part_of](model, images, labels, streams=Streams(seed)).images
            took = time.process_time() - between
            mine = model(found).argmax(dim=1) != labels
            told = f"| {part_of} | {seed} | {int((~mine).sum())} of {len(labels)} |"
            if theirs is None:
                print(f"{told} | | | {took:.1f} | |", flush=True)
                continue
            print(f"{told} {int((~theirs).sum())} | {int((mine & ~theirs).sum())} | {int((theirs & ~mine).sum())} | "
                  f"{took:.1f} | {between - begun:.1f} |", flush=True)  # fmt: skip
    return 0


def _optional(package: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(package)
    except ImportError as error:
        print(f"{package} is left out: {error}", file=sys.stderr)
        return None


def _machine() -> str:
    from paribus.run.provenance import environment

    found = environment(device="cpu", threads=torch.get_num_threads(), code="")
    return f"{found.get('processor')}, {found.get('cores')} cores, PyTorch {torch.__version__}"


if __name__ == "__main__":
    sys.exit(main())
