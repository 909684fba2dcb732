"""What the options of the lab's verbs mean: the experiment they ask for, and what is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paribus.data.pictures import Picture
    from paribus.labs.texture.experiments import Config, Optimisation

SMALLEST = 16
"""The shortest side of a picture that a network can look at, in pixels."""

SET_OTHERWISE = {"source", "photographs", "period", "brief", "steps", "size", "network", "robust", "random"}
"""Changes of what a verb takes from its picture and its other options."""

ELSEWHERE = {
    "feed_forward": "a network is trained by paribus texture train, and used by --weights",
    "stylize": "paribus texture stylize shows a photo in a style",
    "content": "--content of paribus texture stylize weighs the content",
    "content_layer": "--layer of paribus texture stylize chooses where the content is compared",
    "from_noise": "paribus texture stylize starts from the photo",
    "adain": "--method adain of paribus texture stylize does that",
    "alpha": "--alpha of paribus texture stylize does that, with --method adain",
    "fast_style": "--method fast of paribus texture stylize does that",
}
"""Changes of the method, with what does the same for a picture of one's own."""

STEPS = 60
"""At each scale; more lower the loss further than one can see."""


def configured(
    network: str, loss: str, changes: Sequence[str], steps: int | None, side: int | None = None
) -> tuple[Config, str]:
    """Return the configuration that the options mean, and its name as an experiment.

    Of a file of weights the name holds the file's own name and digest, not its folder. Of images that are no squares,
    and of squares that no experiment makes, the size is not part of it.

    Args:
        network, loss, changes: as they were asked for.
        steps: at each scale; ``None`` for STEPS.
        side: of the square images, in pixels; ``None`` where they are none.
    """
    from paribus.errors import ConfigError, suggest
    from paribus.labs.texture.experiments import BASELINE, LOSS_NAMES
    from paribus.labs.texture.experiments import SMALLEST as SMALLEST_OF_AN_EXPERIMENT
    from paribus.nn.networks.names import Fixed, fixed
    from paribus.spec.registry import experiment

    chosen = fixed(network)
    if loss not in LOSS_NAMES:
        raise ConfigError(f"--loss {loss}: no such loss{suggest(loss, LOSS_NAMES)}")
    words = {change.partition("=")[0] for change in changes}
    if idle := words & SET_OTHERWISE:
        raise ConfigError(f"--change {min(idle)}: it means nothing for a picture of one's own; see the other options")
    if idle := words & ELSEWHERE.keys():
        raise ConfigError(f"--change {min(idle)}: {ELSEWHERE[min(idle)]}")
    segments = list(changes)
    if chosen != BASELINE.network:
        short = {Fixed(weights="cifar10_robust"): "robust", Fixed(weights="random"): "random"}
        written = f"network={chosen.name}:{Path(chosen.weights).name}"  # a path's folders are no part of a name
        segments.insert(0, short.get(chosen, written))
    if loss != BASELINE.loss:
        segments.insert(0, loss)
    steps = STEPS if steps is None else steps
    if steps != BASELINE.budget.steps:
        segments.append(f"steps={steps}")
    if side is not None and side >= SMALLEST_OF_AN_EXPERIMENT and side != BASELINE.budget.size:
        segments.append(f"size={side}")
    found = experiment("/".join(("texture", *(segments or ["base"]))))
    return dataclasses.replace(found.config, network=chosen), found.name


def told_of(config: Config, name: str, size: tuple[int, ...]) -> dict[str, Any]:
    """Return what a PNG says of a texture: the experiment where its images have this size, else the changes.

    Args:
        config: what was done.
        name: of the experiment that is configured like this.
        size: height and width of the image that was made.
    """
    whole = tuple(size) == (config.budget.size, config.budget.size)
    return {**({"experiment": name} if whole else {"changes": _changes(name)}), **_done(config, size)}


def told_of_style(config: Config, name: str, size: tuple[int, ...], *, content: float, layer: str) -> dict[str, Any]:
    """Return what a PNG says of a photo with an optimised style: the experiment where one does that, else the changes.

    Args:
        config: what was done, but for the method, which is that of a texture.
        name: of the experiment that is configured like this.
        size: height and width of the photo.
        content, layer: how much content counts, and where.
    """
    from paribus.labs.texture.experiments import StyleTransfer

    how, usual = descent_of(config), StyleTransfer()
    method = StyleTransfer(content=content, layer=layer, descent=how.descent, scales=how.scales)
    kind = "stylize" if content == usual.content else f"content={content!r}"
    if layer != usual.layer:
        kind = f"content_layer={layer}"
    whole = styled_by((kind, _changes(name)), method, size)
    told = whole or {"changes": _changes(name)}
    return {**told, **_done(config, size), "content": content, "layer": layer}


def styled_by(changes: Sequence[str], method: object, size: tuple[int, ...]) -> dict[str, str]:
    """Return ``{"experiment": NAME}`` where *changes* make one of this *method* with photos of *size*, else nothing.

    Photos in experiments are squares, and no change sets both the weight and the layer of the content.
    """
    from paribus.errors import ParibusError
    from paribus.labs.texture.experiments import BASELINE
    from paribus.spec.registry import experiment

    side = [] if size[0] == BASELINE.budget.size else [f"size={size[0]}"]
    try:
        found = experiment("/".join(("texture", *changes, *side)))
    except ParibusError:
        return {}
    whole = found.config.method == method and tuple(size[:2]) == (found.config.budget.size,) * 2
    return {"experiment": found.name} if whole else {}


def _changes(name: str) -> str:
    return name.partition("/")[2]


def _done(config: Config, size: tuple[int, ...]) -> dict[str, Any]:
    from paribus.nn.networks.names import pinned

    return {
        "network": pinned(config.network),
        "loss": config.loss,
        "steps": config.budget.steps,
        "size": f"{size[1]}x{size[0]}",
    }


def refuse(with_what: str, given: Mapping[str, object]) -> None:
    """Refuse options that mean nothing beside another."""
    from paribus.errors import ConfigError

    if idle := [option for option, value in given.items() if value]:
        raise ConfigError(f"{idle[0]} means nothing with {with_what}: one pass of a trained network has none")


def descent_of(config: Config) -> Optimisation:
    """Return how images are optimised, which a verb needs; :func:`configured` takes nothing else."""
    from paribus.labs.texture.experiments import Optimisation

    assert isinstance(config.method, Optimisation)
    return config.method


def size_of(text: str) -> tuple[int, int]:
    """Read ``512x384``, width and height, or ``512`` for a square."""
    from paribus.errors import ConfigError

    found = re.fullmatch(r"(\d+)(?:[xX×](\d+))?", text.strip())
    if not found:
        raise ConfigError(f"--size {text}: write WIDTHxHEIGHT in pixels, for instance 512x384")
    width, height = int(found[1]), int(found[2] or found[1])
    if min(width, height) < SMALLEST:
        raise ConfigError(f"--size {text}: at least {SMALLEST} pixels a side are needed")
    return width, height


def at_size(path: Path, asked: int | None, *, usual: int, option: str) -> Picture:
    """Return the picture at *path* for a network that needs SMALLEST pixels a side."""
    from paribus.cli.fitting import fit_picture
    from paribus.data.pictures import read_picture

    return fit_picture(read_picture(path), path, asked, usual=usual, smallest=SMALLEST, option=option)
