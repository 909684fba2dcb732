"""Textures: what is a texture to a network?

The lab makes images that look to a fixed network like a given texture and varies one decision at a time: what has to
agree, at which layers, of which network, and how the pixels are moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from paribus.labs.texture.changes import CHANGES
from paribus.labs.texture.experiments import BASELINE, SETS, STYLED, Config, FeedForward, Optimisation
from paribus.labs.texture.studies import STUDIES
from paribus.spec.context import Context
from paribus.spec.lab import Base, Lab


def _run(config: Config, context: Context) -> Mapping[str, float]:
    from paribus.labs.texture.run import run

    return run(config, context)


def _said(names: Iterable[str]) -> str:
    from paribus.data.photographs import source

    return "; ".join(f"{name}: {source(name)}" for name in names)


def _data_in_words(config: Config) -> str:
    names = SETS.get(config.source.of, (config.source.of,))
    repeated = ", one patch of each repeated" if config.source.period else ""
    if isinstance(config.method, Optimisation | FeedForward):
        return f"real photographs ({_said(names)}){repeated}"
    return f"real photographs ({_said(STYLED)}) in the style of others ({_said(names)}){repeated}"


def _network_in_words(config: Config) -> str:
    from paribus.nn.networks.names import pinned

    return pinned(config.network)


def _data_editions() -> Iterable[str]:
    from paribus.data.photographs import PHOTOGRAPHS, TEXTURES, editions
    from paribus.nn.networks import names

    shipped = (f"{path.stem} {_weights_digest(path)}" for path in sorted((_HERE / "weights").glob("*.safetensors")))
    return (*editions((*TEXTURES, *PHOTOGRAPHS)), *names.editions(), *shipped)


def _weights_digest(path: Path) -> str:
    """Return 16 hexadecimal digits of the numbers in a file of weights, whatever its record says."""
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _implementation(path: str, value: Any) -> object | None:
    from paribus.labs.texture.losses import LOSSES

    return type(LOSSES[value]) if path == "loss" else None


def _default_base() -> Base:
    return Base("texture/brief", "images of 128x128 in 50 steps at each of three scales")


_HERE = Path(__file__).parent
_DECIDES = (
    "experiments", "sources", "pixels", "eye", "padding", "style_loss", "colours", "coarse_to_fine", "synthesis",
    "feed_forward", "generator", "train_generator", "blocks", "circular", "measure", "run", "pairs", "stylisation",
    "content_loss", "adain", "fast_style", "weights_file", "style_measure", "style_trial",
)  # fmt: skip

LAB = Lab(
    name="texture",
    question="What is a texture to a network?",
    baseline=BASELINE,
    run=_run,
    changes=CHANGES,
    studies=STUDIES,
    metric="patch_distance",
    direction="min",
    papers=(
        'Gatys, Ecker & Bethge (2015), "Texture Synthesis Using Convolutional Neural Networks"',
        'Gatys, Ecker & Bethge (2016), "Image Style Transfer Using Convolutional Neural Networks"',
        'Johnson, Alahi & Fei-Fei (2016), "Perceptual Losses for Real-Time Style Transfer and Super-Resolution"',
        'Huang & Belongie (2017), "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization"',
        'Wright & Ommer (2022), "ArtFID: Quantitative Evaluation of Neural Style Transfer"',
        'Ulyanov, Lebedev, Vedaldi & Lempitsky (2016), "Texture Networks: Feed-forward Synthesis of Textures and '
        'Stylized Images"',
        'Heitz, Vanhoey, Chambon & Belcour (2021), "A Sliced Wasserstein Loss for Neural Texture Synthesis"',
        'He, Wang & Hopcroft (2016), "A Powerful Generative Model Using Random Weights for the Deep Image '
        'Representation"',
        'Ustyuzhaninov, Brendel, Gatys & Bethge (2017), "What Does It Take to Generate Natural Textures?"',
    ),
    default_base=_default_base,
    implementation=_implementation,
    data_in_words=_data_in_words,
    network_in_words=_network_in_words,
    warm=("torch", "torch._dynamo", "paribus.labs.texture.run"),
    source=(*(_HERE / f"{part}.py" for part in _DECIDES), _HERE / "losses"),
    data_editions=_data_editions,
)
