"""``paribus texture synthesize``, ``stylize`` and ``train``: textures and styles of pictures of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paribus.labs.texture.asked import (
    at_size,
    configured,
    descent_of,
    refuse,
    size_of,
    styled_by,
    told_of,
    told_of_style,
)
from paribus.labs.texture.experiments import StyleTransfer

if TYPE_CHECKING:
    from paribus.labs.texture.coarse_to_fine import Found

FRAME = 128
"""The longest side of a frame in a strip."""

SOURCE_SIDE = 256
"""The longer side of a picture whose texture is made, in pixels, unless another is asked for."""

PHOTO_SIDE = 512
"""The same of a photo that gets a style, and of the style."""

SMALLER = "a smaller --size makes them fewer"
"""What to do where memory is too small."""

LOSS, NETWORK = "gram", "small_vgg:cifar10_robust"
"""What a texture is by, and what looks at it, unless another is asked for."""

CONTENT, LAYER = StyleTransfer.content, StyleTransfer.layer
"""How much the photo's own content counts, and where it is compared, unless something else is asked for."""

app = typer.Typer(help="What is a texture to a network?")


@app.callback()
def _verbs() -> None:
    """What is a texture to a network?"""


_Image = Annotated[Path, typer.Argument(help="The picture: PNG, JPEG, ..., any size.", show_default=False)]
_Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="The PNG to write.", show_default=False)]
_Network = Annotated[
    str,
    typer.Option("--network", metavar="NAME[:WEIGHTS]", help="small_vgg, vgg16, vgg19, ...: what looks at textures."),
]
_SourceSize = Annotated[
    int | None,
    typer.Option(
        "--source-size",
        metavar="PIXELS",
        min=16,
        help="The picture's longer side (256, or what leaves the shorter 16); none grows.",
    ),
]
_Loss = Annotated[
    str, typer.Option("--loss", metavar="LOSS", help="gram, covariance, mean_variance, histogram, sorted or sliced.")
]
_Steps = Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Steps at each scale (60).")]
_Change = Annotated[
    list[str] | None,
    typer.Option("--change", metavar="CHANGE", help="A change of the lab: adam, scales=4, ...; may come again."),
]
_Strip = Annotated[
    Path | None, typer.Option("--strip", metavar="FILE", help="Also write how it came about, in one row.")
]
_Seed = Annotated[int, typer.Option("--seed", metavar="N", help="What is drawn at random.")]
_Device = Annotated[str, typer.Option("--device", metavar="D", help="cpu, cuda, cuda:1 or mps.")]


@app.command()
def synthesize(
    out: _Out,
    image: Annotated[Path | None, typer.Argument(help="The picture, unless there are --weights.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", metavar="NAME", help="A texture network instead, at once: gravel, or a trained FILE."
        ),
    ] = None,
    size: Annotated[str, typer.Option("--size", metavar="WIDTHxHEIGHT", help="Of the texture, in pixels.")] = "256x256",
    loss: _Loss = LOSS,
    network: _Network = NETWORK,
    tile: Annotated[bool, typer.Option("--tile", help="Make it so that it can be laid side by side.")] = False,
    source_size: _SourceSize = None,
    steps: _Steps = None,
    change: _Change = None,
    strip: _Strip = None,
    seed: _Seed = 0,
    device: _Device = "cpu",
) -> None:
    """Make a texture of any size that looks like the picture.

    Interrupted, the same command goes on where it stopped.
    """
    from paribus.cli.files import keep_apart, prepare
    from paribus.data.memory import enough_memory
    from paribus.data.pictures import write_png
    from paribus.errors import ConfigError

    keep_apart([] if image is None else [image], {"--out": out, "--strip": strip})
    width, height = size_of(size)
    if image is None and weights is not None:
        from paribus.labs.texture.own_pictures import by_texture_network

        looks = {"--loss": loss != LOSS, "--network": network != NETWORK}
        refuse("--weights", {"--steps": steps, "--change": change, "--strip": strip, "--tile": tile, **looks})
        prepare(out, "--out", suffix=".png")
        with enough_memory(width, height, SMALLER):
            made_at_once, known = by_texture_network(weights, (height, width), seed)
            write_png(out, made_at_once, **known, size=f"{width}x{height}")
        print(f"{out}: {width}x{height}, by the texture network {weights}")
        return
    if image is None or weights is not None:
        raise ConfigError("give a picture, or --weights of a texture network that was trained on one")
    segments = [*(change or []), *(["tile"] if tile else [])]
    config, name = configured(network, loss, segments, steps, width if width == height else None)
    prepare(out, "--out", suffix=".png")
    if strip is not None:
        prepare(strip, "--strip", suffix=".png")
    picture = at_size(image, source_size, usual=SOURCE_SIDE, option="--source-size")

    from paribus.labs.texture.eye import Eye
    from paribus.labs.texture.own_pictures import Job, run_job
    from paribus.labs.texture.pixels import to_picture, to_tensor
    from paribus.labs.texture.synthesis import synthesise
    from paribus.report.film import film
    from paribus.spec.context import Context

    def made(context: Context) -> Found:
        eye = Eye.of(config, context.streams).to(context.device)
        eye.check((height, width))
        return synthesise(
            to_tensor(picture).to(context.device),
            eye,
            size=(height, width),
            count=1,
            steps=config.budget.steps,
            method=descent_of(config),
            context=context,
        )

    job = Job(f"{image.name}: {config.loss} of {config.network}", (config, (height, width)), (picture,), seed, device)
    told = {"method": "optimise", **told_of(config, name, (height, width)), "seed": seed}
    told["source"] = f"a picture of one's own, {picture.shape[1]}x{picture.shape[0]}"
    with enough_memory(width, height, SMALLER):
        found, scratch = run_job(job, made)
        write_png(out, to_picture(found.images), **told)
        if strip is not None:
            write_png(strip, film(found.strip, longest=FRAME), **told)
    shutil.rmtree(scratch, ignore_errors=True)
    print(f"{out}: {width}x{height}, {told.get('experiment') or told['changes']}, loss {found.losses[0]:.3g}")


@app.command()
def stylize(
    photo: _Image,
    out: _Out,
    style: Annotated[
        Path | None, typer.Option("--style", metavar="IMAGE", help="The picture whose style it gets.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="optimise (Gatys 2016: the best, in a minute), or at once: adain (Huang & Belongie 2017, any style) "
            "or fast (Johnson 2016, the style of --weights).",
        ),
    ] = "optimise",
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="FILE", help="Of fast: a style network instead of --style.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            metavar="PIXELS",
            min=16,
            help="The longer side (512, or what leaves the shorter 16); none grows.",
        ),
    ] = None,
    content: Annotated[
        float, typer.Option("--content", metavar="W", min=0.0, help="How much the photo's own content counts.")
    ] = CONTENT,
    layer: Annotated[str, typer.Option("--layer", metavar="NAME", help="Where the content is compared.")] = LAYER,
    alpha: Annotated[
        float, typer.Option("--alpha", metavar="A", min=0.0, max=1.0, help="Of adain: 0 is the photo, 1 the style.")
    ] = 1.0,
    loss: _Loss = LOSS,
    network: _Network = NETWORK,
    steps: _Steps = None,
    change: _Change = None,
    strip: _Strip = None,
    seed: _Seed = 0,
    device: _Device = "cpu",
) -> None:
    """Show a photo in the style of another picture.

    Interrupted, the same command goes on where it stopped.
    """
    from paribus.cli.files import keep_apart, prepare
    from paribus.data.memory import enough_memory
    from paribus.data.pictures import read_picture, resized, write_png
    from paribus.errors import ConfigError

    keep_apart([photo, *([] if style is None else [style])], {"--out": out, "--strip": strip})
    if method not in ("optimise", "adain", "fast"):
        raise ConfigError(f"--method {method}: write optimise, adain or fast")
    if method != "optimise":
        looks = {"--loss": loss != LOSS, "--network": network != NETWORK}
        keeps = {"--content": content != CONTENT, "--layer": layer != LAYER}
        refuse(f"--method {method}", {"--steps": steps, "--change": change, "--strip": strip, **looks, **keeps})
    if method != "adain" and alpha != 1:
        raise ConfigError(f"--alpha means nothing with --method {method}; adain takes it, optimise takes --content")
    if method == "fast":
        from paribus.labs.texture.experiments import FastStyle
        from paribus.labs.texture.own_pictures import by_style_network

        if weights is None or style is not None:
            raise ConfigError("--method fast takes --weights of a style network, and no --style")
        prepare(out, "--out", suffix=".png")
        photograph = resized(read_picture(photo), longest=PHOTO_SIDE if size is None else size)
        height, width = photograph.shape[:2]
        with enough_memory(width, height, SMALLER):
            painted_at_once, known = by_style_network(photograph, weights)
            did = f"source={weights}", "fast_style"
            known = styled_by(did, FastStyle(weights=weights), (height, width)) | known
            write_png(out, painted_at_once, **known, size=f"{width}x{height}")
        print(f"{out}: {width}x{height}, fast ({weights})")
        return
    if style is None or weights is not None:
        raise ConfigError(f"--method {method} takes --style, a picture, and no --weights")
    config, name = configured(network, loss, change or [], steps)
    prepare(out, "--out", suffix=".png")
    shown, painted = (at_size(path, size, usual=PHOTO_SIDE, option="--size") for path in (photo, style))
    height, width = shown.shape[:2]
    if method == "adain":
        from paribus.labs.texture.experiments import AdaIN
        from paribus.labs.texture.own_pictures import by_adain

        with enough_memory(width, height, SMALLER):
            result, known = by_adain(shown, painted, alpha)
            kind = "adain" if alpha == 1 else f"alpha={alpha!r}"
            known = styled_by((kind,), AdaIN(alpha=alpha), (height, width)) | known
            write_png(out, result, **known, size=f"{width}x{height}")
        print(f"{out}: {width}x{height}, adain ({known['weights']}), alpha {alpha:g}")
        return
    if strip is not None:
        prepare(strip, "--strip", suffix=".png")

    from paribus.labs.texture.eye import Eye
    from paribus.labs.texture.own_pictures import Job, run_job
    from paribus.labs.texture.pixels import to_picture, to_tensor
    from paribus.labs.texture.stylisation import Balance, stylise
    from paribus.report.film import film
    from paribus.spec.context import Context

    balance = Balance(content=content, layer=layer)

    def made(context: Context) -> Found:
        return stylise(
            to_tensor(shown).to(context.device),
            to_tensor(painted).to(context.device),
            Eye.of(config, context.streams).to(context.device),
            scales=descent_of(config).scales,
            steps=config.budget.steps,
            descent=descent_of(config).descent,
            context=context,
            balance=balance,
        )

    title = f"{photo.name} in the style of {style.name}"
    job = Job(title, (config, balance), (shown, painted), seed, device)
    told = {"method": "optimise", **told_of_style(config, name, (height, width), content=content, layer=layer)}
    told["seed"] = seed
    with enough_memory(width, height, SMALLER):
        found, scratch = run_job(job, made)
        write_png(out, to_picture(found.images), **told)
        if strip is not None:
            write_png(strip, film(found.strip, longest=FRAME), **told)
    shutil.rmtree(scratch, ignore_errors=True)
    print(f"{out}: {width}x{height}, {told.get('experiment') or told['changes']}, loss {found.losses[0]:.3g}")


@app.command()
def train(
    image: _Image,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The .safetensors file to write.", show_default=False)
    ],
    photographs: Annotated[
        Path | None,
        typer.Option("--photographs", metavar="DIR", help="Learn to give such photos the picture's style instead."),
    ] = None,
    loss: _Loss = LOSS,
    network: _Network = NETWORK,
    source_size: _SourceSize = None,
    content: Annotated[
        float, typer.Option("--content", metavar="W", min=0.0, help="With photos: how much their own content counts.")
    ] = 1.0,
    diversity: Annotated[
        float, typer.Option("--diversity", metavar="W", min=0.0, help="Without: how much two textures must differ.")
    ] = 0.0,
    steps: Annotated[
        int | None,
        typer.Option("--steps", metavar="N", min=1, help="Updates (5000 for a texture, 300 for a style)."),
    ] = None,
    seed: _Seed = 0,
    device: _Device = "cpu",
) -> None:
    """Train a network that makes the picture's texture at once, or gives photos its style at once.

    A texture takes some eight minutes of one processor core, a style two; the progress says how long yet.
    Interrupted, the same command goes on where it stopped.
    """
    from paribus.cli.files import prepare
    from paribus.data.memory import enough_memory

    config, _ = configured(network, loss, [], None)
    prepare(out, "--out")
    picture = at_size(image, source_size, usual=SOURCE_SIDE, option="--source-size")

    from paribus.labs.texture.own_networks import Lesson, trained
    from paribus.labs.texture.weights_file import save_weights
    from paribus.nn.networks.embed import checked

    checked(out)
    lesson = Lesson(config, photographs, content, diversity, steps)
    height, width = picture.shape[:2]
    with enough_memory(width, height, "a smaller --source-size makes them fewer"):
        model, record, scratch = trained(picture, image.name, lesson, seed=seed, device=device)
    save_weights(out, model, record)
    shutil.rmtree(scratch, ignore_errors=True)
    use = "stylize PHOTO --method fast" if photographs else "synthesize"
    print(f"{out}: {record['in_words']}; paribus texture {use} --weights {out} --out FILE")
