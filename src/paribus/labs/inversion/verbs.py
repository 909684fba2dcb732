"""``paribus inversion invert``: what one feature keeps of a picture of one's own."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paribus.labs.inversion.experiments import SMALLEST_SIDE

if TYPE_CHECKING:
    from paribus.labs.inversion.experiments import Config

FRAME = 256
"""The longest side of a frame in a strip."""

LONGEST = 128
"""The longer side at which a picture is inverted, in pixels, where nothing else is asked for."""

app = typer.Typer(help="What does a feature keep of its image?")


@app.callback()
def _verbs() -> None:
    """What does a feature keep of its image?"""


@app.command()
def invert(
    image: Annotated[Path, typer.Argument(help="The picture: PNG, JPEG, ..., any size.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The PNG to write.", show_default=False)],
    network: Annotated[
        str | None,
        typer.Option("--network", metavar="NAME", help="small_vgg (default), small_resnet, vgg16, resnet18, ..."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="W", help="cifar10, imagenet, random, ..., or a file of weights.")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", metavar="NAME", help="relu3_2 (default of VGGs), layer3_1, ...; several joined by +."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            metavar="PIXELS",
            min=SMALLEST_SIDE,
            help=f"The longer side ({LONGEST}, or what leaves the shorter {SMALLEST_SIDE}, what smaller ones grow to).",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Steps of the optimisation.")] = None,
    starts: Annotated[
        int, typer.Option("--starts", metavar="N", min=1, help="From so many noises at once, side by side.")
    ] = 1,
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
    from paribus.cli.conducting import check_device
    from paribus.cli.files import keep_apart, prepare
    from paribus.cli.fitting import fit_picture
    from paribus.cli.in_view import in_view
    from paribus.cli.scratch import scratch_of
    from paribus.data.memory import enough_memory
    from paribus.data.pictures import read_picture, square, write_png
    from paribus.labs.inversion.experiments import Decoder

    check_device(device)
    config, name = configured(network, weights, layer, steps, change or [], starts)
    picture = read_picture(image)
    keep_apart([image], {"--out": out, "--strip": strip})
    out = prepare(out, "--out", suffix=".png")
    if strip is not None:
        prepare(strip, "--strip", suffix=".png")
    middle = ""
    if isinstance(config.method, Decoder):
        if min(picture.shape[:2]) < SMALLEST_SIDE:
            picture = fit_picture(picture, image, None, usual=LONGEST, smallest=SMALLEST_SIDE, option="--size")
        side = min(size or LONGEST, *picture.shape[:2])
        picture, middle = square(picture, side), ", the middle square"
        if side != config.side:
            config, name = dataclasses.replace(config, side=side), f"{name}/side={side}"
    picture = fit_picture(picture, image, size, usual=LONGEST, smallest=SMALLEST_SIDE, option="--size")
    height, width = picture.shape[:2]

    from paribus.labs.inversion import LAB
    from paribus.labs.inversion.picture import invert_picture
    from paribus.nn.networks.names import pinned
    from paribus.nn.pixels import to_tensor
    from paribus.report.film import film

    layers = "+".join(config.features.layers)
    scratch = scratch_of(LAB, config, [picture], seed=seed, device=device)
    title = f"{image.name}: {layers} of {config.features.network}"
    with (
        enough_memory(
            width, height, "a smaller --size makes them fewer" + ", so do fewer --starts" * (config.starts > 1)
        ),
        in_view(title, seed=seed, device=device, scratch=scratch, remedy=_remedy(config)) as context,
    ):
        found = invert_picture(config, to_tensor(picture[None]).contiguous(), context)
    told = {
        "network": pinned(config.features.network),
        "layer": layers,
        "size": f"{width}x{height}",
        "seed": seed,
        "psnr": f"{found.psnr:.2f}",
    }
    apart = many = ""
    if found.agreement is not None:
        told |= {"starts": str(config.starts), "agreement": f"{found.agreement:.2f}"}
        apart, many = f", {found.agreement:.1f} dB from each other", f"{config.starts} of "
    write_png(out, found.picture, experiment=name, **told)
    if strip is not None:
        write_png(strip, film(found.strip, longest=FRAME), experiment=name, **told)
    shutil.rmtree(scratch, ignore_errors=True)
    print(f"{out}: {many}{width}x{height}{middle}, {name}, {found.psnr:.1f} dB from the original{apart}")


def _remedy(config: Config) -> str:
    """Return what to try after a divergence, or nothing where no change of the lab is known to help."""
    from paribus.labs.inversion.experiments import Descent
    from paribus.train.image_optimizer import LBFGS

    if not isinstance(config.method, Descent):
        return ""
    if isinstance(config.method.optimizer, LBFGS):
        return "; Adam, without --change lbfgs, does not depend on the curvature"
    return "; a smaller learning rate may help: --change constant_rate=0.05"


def configured(
    network: str | None,
    weights: str | None,
    layer: str | None,
    steps: int | None,
    changes: Sequence[str],
    starts: int = 1,
) -> tuple[Config, str]:
    """Return the configuration that the options mean, and its name as an experiment.

    Of a file of weights the name holds only the file's own name, not its folder. Random weights are computed in
    float32, as in the lab's studies: bfloat16 changes their result.
    """
    from paribus.errors import ConfigError
    from paribus.labs.inversion.experiments import BASELINE, Decoder, Features
    from paribus.nn.networks.names import fixed
    from paribus.spec.registry import experiment

    words = {change.partition("=")[0] for change in changes}
    if idle := words & {"side", "judge"}:
        raise ConfigError(f"--change {min(idle)}: it means nothing for a picture of one's own; --size sets its size")
    for option, text in (("--network", network), ("--weights", weights), ("--layer", layer)):
        if text == "":
            raise ConfigError(f"{option} is empty; give a name, or leave it out")
    if network is not None and ":" in network and weights is not None:
        raise ConfigError(f"--network {network} and --weights {weights} both name weights; give one of them")
    segments = list(changes)
    features = None
    if network is not None or weights is not None or layer is not None:
        if twice := words & {"features", "layer", "weights"}:
            raise ConfigError(f"--change {min(twice)} says what --network, --weights and --layer say; give one of them")
        name = (network or BASELINE.features.network.name).partition(":")[0]
        chosen = fixed(f"{name}:{weights}" if weights else network or name)
        usual = {"small_resnet": "layer3_1", "small_plain": "layer3_1", "resnet18": "layer2_1", "resnet50": "layer2_1"}
        layers = layer or usual.get(name, BASELINE.features.layers[0])
        features = Features(network=chosen, layers=tuple(layers.split("+")))
    if features is not None and features != BASELINE.features:
        layers = "+".join(features.layers)
        if features.network == BASELINE.features.network:
            segments.insert(0, f"layer={layers}")
        else:
            file = Path(features.network.weights).name  # with its digest; a picture that is passed on tells no folders
            segments.insert(0, f"features={features.network.name}:{file}:{layers}")
    if steps is not None and steps != BASELINE.steps:
        segments.append(f"steps={steps}")
    if starts > 1:
        segments.append(f"starts={starts}")
    found = experiment("/".join(("inversion", *segments)))
    if (features or found.config.features).network.weights == "random" and found.config.precision == "bfloat16":
        found = experiment("/".join(("inversion", *segments, "float32")))
    if steps is not None and isinstance(found.config.method, Decoder):
        raise ConfigError("--steps: a decoder is trained for its own number of steps; leave it out")
    config = found.config if features is None else dataclasses.replace(found.config, features=features)
    return config, found.name
