"""Text of arbitrary shape, found: the detector TextSnake, complete.

A word is an ordered list of disks along its centre line. The lab makes the labels, trains the network, strides along
the line, scores by four published protocols, and ships a small detector for one's own photographs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.labs.textsnake.changes import CHANGES
from paribus.labs.textsnake.experiments import BASELINE, Config
from paribus.labs.textsnake.studies import STUDIES
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.spec.lab import Base, Lab

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _run(config: Config, context: Context) -> Mapping[str, float]:
    from paribus.labs.textsnake.run import run

    return run(config, context)


def _check(config: Config, context: Context) -> Iterable[Finding]:
    from paribus.labs.textsnake.check import check

    return check(config, context)


def _contact_sheet(config: Config) -> NDArray[np.uint8]:
    from paribus.labs.textsnake.check import contact_sheet

    return contact_sheet()


def _data_in_words(config: Config) -> str:
    from paribus.data.curved_text import VERSION

    return f"curved_text (synthetic scenes with words along curves made by Paribus, version {VERSION})"


def _data_editions() -> Iterable[str]:
    from paribus.data.curved_text import edition

    return (edition(),)


def _implementation(path: str, value: Any) -> object | None:
    from paribus.labs.textsnake.implementation import implementation

    return implementation(path, value)


def _default_base() -> Base:
    return Base("textsnake/base", "each study names its own: the shipped detector, true maps or a short training")


_FOLDER = Path(__file__).parent
LAB = Lab(
    name="textsnake",
    question="How is text of any shape found?",
    baseline=BASELINE,
    run=_run,
    changes=CHANGES,
    studies=STUDIES,
    metric="f",
    direction="max",
    papers=(
        'Long et al. (2018), "TextSnake: A Flexible Representation for Detecting Text of Arbitrary Shapes"',
        'Ronneberger, Fischer & Brox (2015), "U-Net"',
        'Shrivastava, Gupta & Girshick (2016), "Training Object Detectors with Online Hard Example Mining"',
        'Wolf & Jolion (2006), "Object Count/Area Graphs for the Evaluation of Object Detection"',
        'Ch\'ng & Chan (2017), "Total-Text: A Comprehensive Dataset for Scene Text Detection and Recognition"',
    ),
    default_base=_default_base,
    implementation=_implementation,
    check=_check,
    contact_sheet=_contact_sheet,
    data_in_words=_data_in_words,
    warm=("torch", "torch._dynamo", "paribus.labs.textsnake.run"),
    source=(
        _FOLDER / "evaluation",
        *(
            _FOLDER / f"{part}.py"
            for part in (
                *("experiments", "backbones", "model", "loss", "data", "training", "weights_file", "run"),
                *("compiled", "geometry", "labels", "decode", "components", "striding", "sliding", "outlining"),
                *("circles", "contours", "instance", "protocols", "refinements"),
            )
        ),
    ),
    data_editions=_data_editions,
)
