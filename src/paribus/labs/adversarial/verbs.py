"""``paribus adversarial attack IMAGE``: what it takes to make a network err on one's own picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
        str, typer.Option("--network", metavar="NAME", help="small_vgg, small_vgg:cifar10_robust, resnet18, ...")
    ] = "small_vgg",
    eps: Annotated[float, typer.Option("--eps", help="The radius, of pixels in 0 to 1; in l0 a count.")] = 8 / 255,
    norm: Annotated[str, typer.Option("--norm", metavar="NORM", help="linf, l2, l1 or l0.")] = "linf",
    by: Annotated[str, typer.Option("--attack", metavar="NAME", help="pgd, apgd_ce, square, deepfool, ...")] = "pgd",
    steps: Annotated[int, typer.Option("--steps", help="Gradient steps.", min=1)] = 100,
    queries: Annotated[int, typer.Option("--queries", help="Evaluations of Square.", min=1)] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Of the random starts.")] = 0,
) -> None:
    """Attack a picture and show original, perturbation and result side by side.

    What the network sees is the middle square of the picture, at the side that it was trained on. Its own answer counts
    as the label. The answers before and after are printed with their probabilities. Whatever is tried is rounded to
    whole pixel values first, so that the picture that is written is the one that fools; a bound in linf is rounded down
    to whole values too.

    Exits with 1 where the attack fails.
    """
    import math

    import torch

    from paribus.cli.files import keep_apart, prepare
    from paribus.data.pictures import read_picture, square, write_png
    from paribus.errors import ConfigError
    from paribus.labs.adversarial.experiments import Course, Protocol
    from paribus.labs.adversarial.panel import panel
    from paribus.labs.adversarial.protocol import attack_named
    from paribus.nn.networks.load import load
    from paribus.nn.networks.names import fixed
    from paribus.nn.pixels import to_tensor
    from paribus.spec.seed import Streams
    from paribus.train.arithmetic import reproducible

    keep_apart([image], {"--out": out})
    prepare(out, "--out")
    if norm == "linf" and eps < 1:
        if 0 < eps * 255 < 1 - 1e-9:
            raise ConfigError(f"--eps {eps:g}: a pixel of a picture changes by at least 1/255 = 0.00392")
        eps = math.floor(eps * 255 + 1e-9) / 255
    how = Protocol(norm=norm, eps=eps, attacks=(by,), steps=steps, queries=queries, searches=9)
    method = attack_named(by, how, Course())
    streams = Streams(seed)
    model = load(fixed(network), streams)
    goal = None if target is None else torch.tensor([_class(target, model.classes)])
    pixels = to_tensor(square(read_picture(image), model.size)[None])

    def rounded(images: torch.Tensor) -> torch.Tensor:
        """Whole pixel values, rounded towards the original: no norm of the change grows."""
        whole = (pixels * 255).round() + ((images - pixels) * 255 + 1e-3 * (images - pixels).sign()).trunc()
        return images + (whole / 255 - images).detach()

    with reproducible("cpu"):
        with torch.no_grad():
            before = torch.softmax(model.logits(pixels), dim=1)[0]
        label = before.argmax()[None]
        if goal is not None and int(goal[0]) == int(label[0]):
            raise ConfigError(f"--target {target}: that is the network's answer already; another class is expected")
        found = method(lambda images: model.logits(rounded(images)), pixels, label, streams=streams, target=goal)
        result = rounded(found.images)
        with torch.no_grad():
            after = torch.softmax(model.logits(result), dim=1)[0]
    names = [_answer(probability, model.classes) for probability in (before, after)]
    print(f"network      {model.in_words}")
    print(f"before       {names[0]}")
    if not bool(found.success[0]):
        wanted = "another class" if goal is None else model.classes[int(goal[0])]
        print(f"after        unchanged: {by} found no way to {wanted} within {eps:g} in {norm}")
        raise typer.Exit(1)
    print(f"after        {names[1]}")
    moved = (result - pixels).flatten().double()
    sizes = {"largest": moved.abs().max(), "l2": moved.norm(), "l1": moved.abs().sum()}
    said = ", ".join(f"{word} {float(size):.4g}" for word, size in sizes.items())
    print(f"perturbation {norm} bound {eps:g}: {said}; {int(found.queries[0])} queries")
    shown, factor = panel(pixels[0], result[0], (names[0], names[1]))
    name = _named(network, by, norm, eps)
    where = write_png(
        out, shown, experiment=name, network=model.in_words, attack=by, norm=norm, eps=eps, steps=steps,
        queries=queries, seed=seed, target=target or "any",
        before=names[0], after=names[1], amplified=f"{factor:g} times",
    )  # fmt: skip
    print(f"written      {where}: original, perturbation {factor:g} times, result")


def _named(network: str, by: str, norm: str, eps: float) -> str:
    """Return the name of the experiment nearest to this attack: what else differs stands beside it in the picture."""
    from paribus.errors import ParibusError
    from paribus.spec.registry import experiment

    victim = {"small_vgg": "/small_vgg", "small_vgg:cifar10": "/small_vgg"}.get(network, "")
    victim = "/small_vgg_robust" if network == "small_vgg:cifar10_robust" else victim
    for name in (f"adversarial{victim}/by_{by}/eps={eps:g}", f"adversarial{victim}/{by}"):
        try:
            found = experiment(name)
        except ParibusError:
            continue
        if found.config.protocol.norm == norm:
            return found.name
    return f"adversarial{victim or '/base'}"


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
