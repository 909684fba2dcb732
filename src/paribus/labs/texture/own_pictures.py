"""An optimisation of a user's own pictures: watched, and kept where an interruption leaves it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from paribus.data.pictures import Picture
from paribus.errors import DataError
from paribus.spec.context import Context
from paribus.train.arithmetic import reproducible

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Job:
    """What is asked, as far as it decides the result.

    Args:
        title: what is going on, in a few words.
        asked: the configuration and what else was chosen.
        pictures: what it is made of.
        seed: of the random streams.
        device: where it computes.
    """

    title: str
    asked: tuple[Any, ...]
    pictures: tuple[Picture, ...]
    seed: int
    device: str

    @property
    def scratch(self) -> Path:
        """The folder in which this job, done by this code, is kept until its result has been written."""
        from paribus.cli.scratch import scratch_of
        from paribus.labs.texture import LAB

        return scratch_of(LAB, self.asked, self.pictures, seed=self.seed, device=self.device)


def run_job(job: Job, made: Callable[[Context], Made]) -> tuple[Made, Path]:
    """Return what *made* makes and the folder that may go once it has been written.

    Raises:
        RunError: the loss left the numbers.
    """
    from paribus.cli.in_view import in_view

    scratch, remedy = job.scratch, "; --change adam takes smaller steps"
    with (
        in_view(job.title, seed=job.seed, device=job.device, scratch=scratch, remedy=remedy) as context,
        reproducible(job.device),
    ):
        return made(context), scratch


def by_texture_network(weights: str, size: tuple[int, int], seed: int) -> tuple[Picture, dict[str, Any]]:
    """Return a texture of *size*, height and width, from the network *weights*, a name or a path, and what is known."""
    from paribus.labs.texture.generator import Generator
    from paribus.labs.texture.generator import synthesize as in_one_pass
    from paribus.labs.texture.weights_file import load_weights

    made = in_one_pass(load_weights(Generator, weights), size=size, seed=seed)
    return made, {"method": "texture network", **_known(Generator, weights), "seed": seed}


def by_style_network(photo: Picture, weights: str) -> tuple[Picture, dict[str, Any]]:
    """Return *photo* in the style of the network *weights*, a name or a path, and what is known of it."""
    from paribus.labs.texture.fast_style import StyleNetwork
    from paribus.labs.texture.fast_style import stylize as in_one_pass
    from paribus.labs.texture.weights_file import load_weights

    return in_one_pass(load_weights(StyleNetwork, weights), photo), {"method": "fast", **_known(StyleNetwork, weights)}


def by_adain(photo: Picture, style: Picture, alpha: float) -> tuple[Picture, dict[str, Any]]:
    """Return *photo* in the style of *style* in one pass, and what is known of the decoder that made it.

    Raises:
        DataError: no decoder comes with Paribus.
    """
    from paribus.labs.texture.adain import Decoder
    from paribus.labs.texture.adain import stylize as in_one_pass
    from paribus.labs.texture.weights_file import encoder_of, load_weights, shipped

    names = shipped(Decoder)
    if not names:
        raise DataError("no AdaIN decoder comes with this Paribus; --method optimise needs none")
    made = in_one_pass(load_weights(Decoder, names[0]), encoder_of(names[0]), photo, style, alpha=alpha)
    return made, {"method": "adain", **_known(Decoder, names[0]), "alpha": alpha}


def _known(kind: type, weights: str) -> dict[str, Any]:
    """Return what a PNG says of the trained network that made it: its file without folders, how it was trained, and on
    what, and where the record tells it, what it is worth."""
    from paribus.labs.texture.weights_file import weights_path
    from paribus.nn.networks.embed import record
    from paribus.nn.networks.names import file_digest

    path = weights_path(kind, weights)
    known = record(path)
    told = {
        "network": known.get("network"),
        "trained": known.get("in_words"),
        "trained_on": known.get("data"),
        "training_steps": known.get("steps"),
        "score": _score_in_words(known.get("score")),
    }
    return {
        "weights": f"{Path(weights).name} ({file_digest(path)})",
        **{key: value for key, value in told.items() if value is not None},
    }


def _score_in_words(score: Mapping[str, Any] | None) -> str | None:
    """Return ``transfer 0.142 ± 0.023, content 0.6, ... (n = 4, texture/...)`` of a record's score."""
    if score is None:
        return None
    mean = score["mean"]
    decides = "transfer" if "transfer" in mean else "patch_distance"
    first = f"{decides} {mean[decides]:.3g} ± {score['sd'].get(decides, math.nan):.2g}"
    rest = [f"{name} {value:.3g}" for name, value in mean.items() if name != decides]
    measured = score.get("experiment") or f"as {score['measured_as']}"
    return f"{', '.join([first, *rest])} (n = {score['n']}, {measured})"
