"""``paribus adversarial attack IMAGE``: what it takes to make a network err on one's own picture."""

from __future__ import annotations

import dataclasses
import math
import shutil
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

FRAME = 512
"""The longest side of a frame in a strip."""

app = typer.Typer(help="Attack a classifier on pictures of your own.")


@app.callback()
def _group() -> None:
    """Attack a classifier on pictures of your own."""


@app.command()
def attack(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture of any size and mode.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the PNG goes.", show_default=False)],
    target: Annotated[
        str | None, typer.Option("--target", metavar="CLASS", help="A class, by name or number; by default any other.")
    ] = None,
    network: Annotated[
        str,
        typer.Option(
            "--network", metavar="NAME", help="small_vgg, small_vgg:cifar10_robust, small_resnet, resnet18, ..."
        ),
    ] = "small_vgg",
    eps: Annotated[
        float | None,
        typer.Option(
            "--eps",
            help="The radius, of pixels in 0 to 1; in l0 how many may change. By default 8/255 in linf, 1 in l2, 12 in "
            "l1, 10 in l0.",
            show_default=False,
        ),
    ] = None,
    norm: Annotated[str, typer.Option("--norm", metavar="NORM", help="linf, l2, l1 or l0.")] = "linf",
    by: Annotated[str, typer.Option("--attack", metavar="NAME", help="pgd, apgd_ce, square, deepfool, ...")] = "pgd",
    steps: Annotated[int, typer.Option("--steps", help="Gradient steps.", min=1)] = 100,
    queries: Annotated[int, typer.Option("--queries", help="Evaluations of Square.", min=1)] = 1000,
    strip: Annotated[
        Path | None,
        typer.Option(
            "--strip",
            metavar="FILE",
            help="Also write how it came about: what the network was shown, above its perturbation, in one row.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the random starts.")] = 0,
    device: Annotated[str, typer.Option("--device", metavar="D", help="cpu, cuda, cuda:1 or mps.")] = "cpu",
) -> None:
    """Attack a picture and show original, perturbation and result side by side.

    What the network sees is the middle square of the picture, at the side that it was trained on. Its own answer counts
    as the label. The answers before and after are printed with their probabilities. Whatever is tried is rounded to
    whole pixel values first, and none leaves its bound by that, so that the picture that is written is the one that
    fools; a bound in linf is rounded down to whole values too.

    How far it is, is counted in evaluations of the network, of as many as there are where nothing is found sooner.
    Interrupted, the same command goes on where it stopped. Exits with 1 where the attack fails.
    """
    import torch

    from paribus.cli.conducting import check_device
    from paribus.cli.files import keep_apart, prepare
    from paribus.cli.in_view import in_view
    from paribus.cli.scratch import scratch_of
    from paribus.data.pictures import read_picture, square, write_png
    from paribus.errors import ConfigError
    from paribus.labs.adversarial import LAB
    from paribus.labs.adversarial.attacks.ensemble import in_turn
    from paribus.labs.adversarial.experiments import L0, Course, Protocol
    from paribus.labs.adversarial.naming import experiment_of, network_in_words, unnamed
    from paribus.labs.adversarial.panel import enlargement, panel
    from paribus.labs.adversarial.protocol import attacks_of
    from paribus.labs.adversarial.remembered import Remembered
    from paribus.labs.adversarial.watching import watched
    from paribus.labs.adversarial.whole_pixels import in_whole_pixels
    from paribus.nn.networks.load import load
    from paribus.nn.networks.names import fixed
    from paribus.nn.pixels import to_tensor
    from paribus.report.film import film
    from paribus.spec.context import Artifact, Report
    from paribus.spec.seed import Streams
    from paribus.train.arithmetic import reproducible

    check_device(device)
    keep_apart([image], {"--out": out, "--strip": strip})
    prepare(out, "--out", suffix=".png")
    if strip is not None:
        prepare(strip, "--strip", suffix=".png")
    radius = _radius(eps, norm)
    restarts = L0.restarts if (norm, by) == (L0.norm, *L0.attacks) else 1
    how = Protocol(norm=norm, eps=radius, attacks=(by,), steps=steps, queries=queries, searches=9, restarts=restarts)
    attacks = attacks_of(how, Course())
    streams = Streams(seed)
    chosen = fixed(network)
    model = load(chosen, streams).to(device)
    goal = None if target is None else torch.tensor([_class(target, model.classes)]).to(device)
    picture = square(read_picture(image), model.size)
    pixels = to_tensor(picture[None]).to(device)
    asked = (how, sorted(network_in_words(chosen).items()), target)
    scratch = scratch_of(LAB, asked, [picture], seed=seed, device=device)
    strips = []

    def rounded(images: torch.Tensor) -> torch.Tensor:
        return in_whole_pixels(images, pixels, norm=norm, eps=radius)

    with reproducible(device):
        with torch.no_grad():
            before = torch.softmax(model.logits(pixels), dim=1)[0]
        label = before.argmax()[None]
        if goal is not None and int(goal[0]) == int(label[0]):
            raise ConfigError(f"--target {target}: that is the network's answer already; another class is expected")
        title = f"{image.name}: {by} against {network}"
        with (
            in_view(title, seed=seed, device=device, scratch=scratch) as context,
            closing(Remembered(lambda shown: model.logits(rounded(shown)), scratch / "answers")) as remembered,
        ):

            def emit(report: Report) -> None:
                if isinstance(report, Artifact) and report.name == "strip":
                    strips.append(report.array)
                context.emit(report)

            heard = dataclasses.replace(context, emit=emit)
            looked_at = watched(attacks, heard, classes=len(model.classes), targeted=goal is not None, strip=True)
            found, _ = in_turn(looked_at, remembered, pixels, label, streams=streams, target=goal)
        shutil.rmtree(scratch, ignore_errors=True)
        result = rounded(found.images)
        with torch.no_grad():
            after = torch.softmax(model.logits(result), dim=1)[0]
    names = [_answer(probability, model.classes) for probability in (before, after)]
    print(f"network      {model.in_words}")
    print(f"before       {names[0]}")
    if not bool(found.success[0]):
        wanted = "another class" if goal is None else model.classes[int(goal[0])]
        print(f"after        unchanged: {by} found no way to {wanted} within {radius:g} in {norm}")
        raise typer.Exit(1)
    print(f"after        {names[1]}")
    moved = ((result * 255).round() - (pixels * 255).round()).flatten().cpu().double() / 255
    sizes = {"largest": moved.abs().max(), "l2": moved.norm(), "l1": moved.abs().sum()}
    said = ", ".join(f"{word} {float(size):.4g}" for word, size in sizes.items())
    print(f"perturbation {norm} bound {radius:g}: {said}; {int(found.queries[0])} queries")
    shown, factor = panel(pixels[0], result[0], (names[0], names[1]))
    named = experiment_of(chosen, how, targeted=goal is not None)
    told = {
        **network_in_words(chosen), "picture": image.name, "attack": by, "norm": norm, "eps": repr(radius),
        "steps": steps, "restarts": restarts, "queries": queries, "searches": how.searches, "seed": seed,
        "target": "any" if goal is None else model.classes[int(goal[0])],
        "unnamed": ", ".join(unnamed(named, chosen, how)), "before": names[0], "after": names[1],
    }  # fmt: skip
    where = write_png(out, shown, experiment=named.name, **told, amplified=f"{factor:g} times")
    print(f"written      {where}: original, perturbation {factor:g} times, result")
    if strip is not None and strips:
        scale = enlargement(pixels.shape[-1])
        frames = film(strips[0].repeat(scale, axis=1).repeat(scale, axis=2), longest=FRAME)
        print(f"written      {write_png(strip, frames, experiment=named.name, **told)}: how it came about")


def _radius(eps: float | None, norm: str) -> float:
    """Return the radius that ``--eps`` means: of linf in whole pixel values, of l0 a whole number of pixels."""
    from paribus.errors import ConfigError
    from paribus.labs.adversarial.experiments import EPS

    if eps is None:
        return 8 / 255 if norm == "linf" else EPS.get(norm, 1.0)  # what no norm is, the protocol refuses
    if not eps > 0:
        raise ConfigError(f"--eps {eps:g}: a radius above 0 is expected")
    if norm == "l0" and not eps.is_integer():
        raise ConfigError(f"--eps {eps:g}: in l0 so many pixels may change; a whole number, at least 1, is expected")
    if norm == "linf" and eps < 1:
        if eps * 255 < 1 - 1e-9:
            raise ConfigError(f"--eps {eps:g}: a pixel of a picture changes by at least 1/255 = 0.00392")
        return math.floor(eps * 255 + 1e-9) / 255
    return eps


def _class(text: str, classes: tuple[str, ...]) -> int:
    from paribus.errors import ConfigError, suggest

    if text in classes:
        return classes.index(text)
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    raise ConfigError(f"--target {text}: the network knows no such class{suggest(text, classes)}")


def _answer(probabilities: object, classes: tuple[str, ...]) -> str:
    import torch

    assert isinstance(probabilities, torch.Tensor)
    best = int(probabilities.argmax())
    return f"{classes[best]} {float(probabilities[best]):.1%}"
