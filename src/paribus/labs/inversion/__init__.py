"""What does a feature keep of its image?

The lab takes some features of photographs, forgets the photographs, and looks for images that have these features. What
comes back is what the features kept; the rest they left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.labs.inversion.changes import CHANGES
from paribus.labs.inversion.experiments import BASELINE, Config
from paribus.labs.inversion.studies import STUDIES
from paribus.spec.context import Context
from paribus.spec.lab import Base, Lab

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _run(config: Config, context: Context) -> Mapping[str, float]:
    from paribus.labs.inversion.run import run

    return run(config, context)


def _contact_sheet(config: Config) -> NDArray[np.uint8]:
    from paribus.labs.inversion.data import originals
    from paribus.labs.inversion.run import row

    return row(originals(config.photographs, config.side))


def _data_in_words(config: Config) -> str:
    from paribus.data.photographs import source

    pictures = "; ".join(f"{name}: {source(name)}" for name in config.photographs)
    return f"{len(config.photographs)} real photographs, their middles at {config.side}x{config.side} ({pictures})"


def _network_in_words(config: Config) -> str:
    from paribus.nn.networks.names import pinned

    return pinned(config.features.network)  # where it is looked at, the name of the experiment says


def _data_editions() -> Iterable[str]:
    from paribus.data.photographs import editions
    from paribus.labs.inversion.experiments import TEST, TRAINING
    from paribus.nn.networks import names

    return (*editions((*TEST, *TRAINING)), *names.editions())


def _implementation(path: str, value: Any) -> object | None:
    from paribus.labs.inversion.implementation import implementation

    return implementation(path, value)


def _default_base() -> Base:
    return Base("inversion/base", "it needs no download: photographs and network come with packages")


LAB = Lab(
    name="inversion",
    question="What does a feature keep of its image?",
    baseline=BASELINE,
    run=_run,
    changes=CHANGES,
    studies=STUDIES,
    metric="psnr",
    papers=(
        'Mahendran & Vedaldi (2015), "Understanding Deep Image Representations by Inverting Them"',
        'Dosovitskiy & Brox (2016), "Inverting Visual Representations with Convolutional Networks"',
        'Ulyanov, Vedaldi & Lempitsky (2018), "Deep Image Prior"',
        'He, Wang & Hopcroft (2016), "A Powerful Generative Model Using Random Weights for the Deep Image '
        'Representation"',
        'Engstrom et al. (2019), "Adversarial Robustness as a Prior for Learned Representations"',
        'Zhang et al. (2018), "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"',
    ),
    default_base=_default_base,
    implementation=_implementation,
    contact_sheet=_contact_sheet,
    data_in_words=_data_in_words,
    network_in_words=_network_in_words,
    warm=("torch", "torch._dynamo", "paribus.labs.inversion.run"),
    source=tuple(
        Path(__file__).parent / f"{part}.py"
        for part in (
            "experiments",
            "data",
            "loss",
            "found",
            "album",
            "descent",
            "decoder",
            "deep_prior",
            "measure",
            "run",
        )
    ),
    data_editions=_data_editions,
)
