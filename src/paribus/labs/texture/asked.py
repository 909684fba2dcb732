"""What the options of the lab's verbs mean: the experiment they ask for, and what is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paribus.labs.texture.experiments import Config, Optimisation

SMALLEST = 16
"""The shortest side of a picture that a network can look at, in pixels."""

SET_OTHERWISE = {"source", "photographs", "period", "brief", "steps", "size", "network", "robust", "random"}
"""Changes of what a verb takes from its picture and its other options."""

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
    from paribus.errors import ConfigError
    from paribus.labs.texture.experiments import BASELINE
    from paribus.labs.texture.experiments import SMALLEST as SMALLEST_OF_AN_EXPERIMENT
    from paribus.nn.networks.names import Fixed, fixed
    from paribus.spec.registry import experiment

    chosen = fixed(network)
    if idle := {change.partition("=")[0] for change in changes} & SET_OTHERWISE:
        raise ConfigError(f"--change {min(idle)}: it means nothing for a picture of one's own; see the other options")
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


def told_of(config: Config, name: str, size: tuple[int, ...], *, named: bool = True) -> dict[str, Any]:
    """Return what a PNG says of an optimisation: the experiment where its images have this size, else the changes.

    Args:
        config: what was done.
        name: of the experiment that is configured like this.
        size: height and width of the image that was made.
        named: whether the experiment makes such images at all.
    """
    from paribus.nn.networks.names import pinned

    whole = named and tuple(size) == (config.budget.size, config.budget.size)
    return {
        **({"experiment": name} if whole else {"changes": name.partition("/")[2]}),
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
    """Return how images are optimised, which a verb needs."""
    from paribus.errors import ConfigError
    from paribus.labs.texture.experiments import Optimisation

    if not isinstance(config.method, Optimisation):
        raise ConfigError("--change feed_forward: a network is trained by paribus texture train, and used by --weights")
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


def check(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse the picture at *path* if its *shape*, height and width first, is too small for a network."""
    from paribus.errors import DataError

    if min(shape[:2]) < SMALLEST:
        raise DataError(f"{path}: {shape[1]}x{shape[0]} pixels; at least {SMALLEST} a side are needed")
