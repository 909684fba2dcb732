"""A network trained on a user's own pictures: for a texture, or for a style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paribus.data.pictures import Picture
from paribus.labs.texture.crops import photographs_in
from paribus.labs.texture.experiments import Config
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator
from paribus.labs.texture.log_eye import taught, teaching
from paribus.labs.texture.own_pictures import Job, run_job
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.train_fast_style import STYLE_STEPS, train_fast_style
from paribus.labs.texture.train_generator import TEXTURE_STEPS, train_texture_network
from paribus.nn.networks.names import pinned
from paribus.spec.context import Context


@dataclass(frozen=True)
class Lesson:
    """What is learnt from one picture.

    Args:
        config: the network that looks, its layers and its loss.
        photographs: the folder of photographs that get the picture's style; ``None`` for its texture.
        content: weight of the photographs' content.
        diversity: weight of the diversity of textures.
        steps: updates; ``None`` for as many as a network that ships has taken.
    """

    config: Config
    photographs: Path | None
    content: float
    diversity: float
    steps: int | None


def trained(
    picture: Picture, name: str, lesson: Lesson, *, seed: int, device: str
) -> tuple[Generator | StyleNetwork, dict[str, Any], Path]:
    """Return the trained network, its record, and the folder that may go once it has been written."""
    shown = [] if lesson.photographs is None else photographs_in(lesson.photographs)
    steps = lesson.steps or (STYLE_STEPS if shown else TEXTURE_STEPS)

    def made(context: Context) -> Generator | StyleNetwork:
        eye = Eye.of(lesson.config, context.streams).to(device)
        if not shown:
            return train_texture_network(
                to_tensor(picture),
                teaching(eye),
                context=context,
                steps=steps,
                batch=2 if lesson.diversity else 1,
                diversity_weight=lesson.diversity,
            )
        return train_fast_style(
            picture,
            shown,
            eye.network,
            context=context,
            loss=eye.loss,
            layers=eye.look.layers,
            content_weight=lesson.content,
            steps=steps,
            precision=eye.precision,
        )

    what = "style" if shown else "texture"
    asked = (lesson.config, str(lesson.photographs), lesson.content, lesson.diversity, steps)
    found, scratch = run_job(Job(f"{what} network of {name}", asked, (picture, *shown), seed, device), made)
    network, loss = pinned(lesson.config.network), lesson.config.loss if shown else taught(lesson.config.loss)
    record = {
        "in_words": f"{what} network of {name}, {network}, {loss}",
        "network": network,
        "loss": loss,
        "steps": steps,
        "seed": seed,
    }
    return found.cpu(), record, scratch
