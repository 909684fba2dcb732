"""``paribus inversion invert``: what one feature keeps of a picture of one's own."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from paribus.data.pictures import Picture
    from paribus.labs.inversion.experiments import Config

SMALLEST = 16
"""The shortest side of a picture that can be inverted, in pixels."""

app = typer.Typer(help="What does a feature keep of its image?")


@app.callback()
def _verbs() -> None:
    """What does a feature keep of its image?"""


@app.command()
def invert(
    image: Annotated[Path, typer.Argument(help="The picture: PNG, JPEG, ..., any size.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The PNG to write.", show_default=False)],
    network: Annotated[
        str | None, typer.Option("--network", metavar="NAME", help="small_vgg (default), vgg16, vgg19, resnet18, ...")
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="W", help="cifar10, imagenet, random, ..., or a file of weights.")
    ] = None,
    layer: Annotated[
        str, typer.Option("--layer", metavar="NAME", help="conv1_1 to fc; several are joined by +.")
    ] = "relu3_2",
    size: Annotated[
        int, typer.Option("--size", metavar="PIXELS", min=16, help="The longer side; no picture grows.")
    ] = 128,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Steps of the optimisation.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--change", metavar="CHANGE", help="A change of the lab: variation=30, lbfgs; may come again."),
    ] = None,
    strip: Annotated[
        Path | None, typer.Option("--strip", metavar="FILE", help="Also write how it came about, in one row.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The noise that it starts from.")] = 0,
    device: Annotated[str, typer.Option("--device", metavar="D", help="cpu, cuda, cuda:1 or mps.")] = "cpu",
) -> None:
    """Forget a picture but for some features, look for an image that has them, and write what comes back.

    Interrupted, the same command goes on where it stopped.
    """
    from paribus.cli.files import prepare
    from paribus.data.pictures import read_picture, resized, square, write_png
    from paribus.errors import DataError
    from paribus.labs.inversion.experiments import Decoder

    config, name = configured(network, weights, layer, steps, change or [])
    prepare(out, "--out")
    if strip is not None:
        prepare(strip, "--strip")
    picture = read_picture(image)
    if isinstance(config.method, Decoder):
        config, picture = dataclasses.replace(config, side=size), square(picture, size)
    picture = resized(picture, longest=size)
    height, width = picture.shape[:2]
    if min(height, width) < SMALLEST:
        raise DataError(f"{image}: {width}x{height} pixels at this size; at least {SMALLEST} a side are needed")

    from paribus.labs.inversion.data import tensor
    from paribus.labs.inversion.picture import invert_picture, side_by_side
    from paribus.report.watch import Watch
    from paribus.spec.context import Context, Diverged

    scratch = _scratch(config, seed, picture)
    with Watch(f"{image.name}: {layer} of {config.features.network}") as watch:
        context = Context(seed=seed, device=device, scratch=scratch, emit=watch)
        try:
            found = invert_picture(config, tensor(picture[None]), context)
        except Diverged as error:
            shutil.rmtree(scratch, ignore_errors=True)
            raise DataError(f"{image}: the inversion diverged ({error.reason}); take a smaller learning rate") from None
    told = {"network": config.features.network, "layer": layer, "seed": seed, "psnr": f"{found.psnr:.2f}"}
    write_png(out, found.picture, experiment=name, **told)
    if strip is not None:
        write_png(strip, side_by_side(found.strip), experiment=name, **told)
    shutil.rmtree(scratch, ignore_errors=True)
    print(f"{out}: {width}x{height}, {name}, {found.psnr:.1f} dB from the original")


def configured(
    network: str | None, weights: str | None, layer: str, steps: int | None, changes: Sequence[str]
) -> tuple[Config, str]:
    """Return the configuration that the options mean, and its name as an experiment."""
    from paribus.labs.inversion.experiments import BASELINE, Features
    from paribus.nn.networks.names import Fixed, fixed
    from paribus.spec.registry import experiment

    architecture = fixed(network or BASELINE.features.network.name)
    chosen = Fixed(name=architecture.name, weights=weights or architecture.weights)
    features = Features(network=chosen, layers=tuple(layer.split("+")))
    segments = list(changes)
    if features.network != BASELINE.features.network:
        path = Path(chosen.weights)
        segments.insert(0, f"features={chosen.name}:{path.name}:{layer}")
    elif features != BASELINE.features:
        segments.insert(0, f"layer={layer}")
    if steps is not None and steps != BASELINE.steps:
        segments.append(f"steps={steps}")
    found = experiment("/".join(("inversion", *segments)))
    return dataclasses.replace(found.config, features=features), found.name


def _scratch(config: Config, seed: int, picture: Picture) -> Path:
    """Return the folder in which this inversion of this picture, by this code, is kept until it is done."""
    from platformdirs import user_cache_path

    from paribus.labs.inversion import LAB
    from paribus.spec.experiment import canonical
    from paribus.spec.source import digest

    asked = f"{canonical(config)}\n{seed}\n{picture.shape}\n{digest(LAB)}\n".encode() + picture.tobytes()
    return user_cache_path("paribus") / "inversion" / hashlib.sha256(asked).hexdigest()[:16]
