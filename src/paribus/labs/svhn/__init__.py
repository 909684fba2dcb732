"""House numbers: what in a small convolutional network matters for reading a digit?

The lab varies one decision at a time of a seven-layer network on Street View House Numbers: how outputs become
probabilities, what is minimised, how resolution is halved, how weights are held down, what the data looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.labs.svhn.changes import CHANGES
from paribus.labs.svhn.experiments import BASELINE, Config
from paribus.labs.svhn.studies import STUDIES
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.spec.lab import Base, Lab, Pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _run(config: Config, context: Context) -> Mapping[str, float]:
    from paribus.labs.svhn.run import run

    return run(config, context)


def _check(config: Config, context: Context) -> Iterable[Finding]:
    from paribus.labs.svhn.check import check

    return check(config, context)


def _pictures(config: Config, indices: Sequence[int]) -> Pictures:
    import numpy as np

    from paribus.labs.svhn.data import part

    test = part(config, "test")
    rows = np.asarray(indices, dtype=np.int64)
    return Pictures(np.asarray(test.images[rows]), test.labels[rows], test.classes)


def _contact_sheet(config: Config) -> NDArray[np.uint8]:
    from paribus.data.inspect import contact_sheet
    from paribus.labs.svhn.data import part

    return contact_sheet(part(config, "train"))


def _data_in_words(config: Config) -> str:
    from paribus.labs.svhn.data import part

    return part(config, "test").source


def _data_editions() -> Iterable[str]:
    from paribus.data.catalogue import editions

    return editions()


def _implementation(path: str, value: Any) -> object | None:
    from paribus.labs.svhn.implementation import implementation

    return implementation(path, value)


def _default_base() -> Base:
    from paribus.data.catalogue import available

    if available("svhn"):
        return Base("svhn/base", "the real SVHN is here, so the study runs on it at full length")
    return Base(
        "svhn/street_digits/brief",
        "the real SVHN is not here (paribus data get svhn), so the study runs on synthetic house numbers, briefly",
    )


LAB = Lab(
    name="svhn",
    question="What in a small convolutional network matters for reading a house number?",
    baseline=BASELINE,
    run=_run,
    changes=CHANGES,
    studies=STUDIES,
    metric="test_accuracy",
    papers=(
        'Netzer et al. (2011), "Reading Digits in Natural Images with Unsupervised Feature Learning"',
        'Sermanet, Chintala & LeCun (2012), "Convolutional Neural Networks Applied to House Numbers"',
        'de Brébisson & Vincent (2016), "An Exploration of Softmax Alternatives"',
        'Martins & Astudillo (2016), "From Softmax to Sparsemax"',
        'Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization"',
    ),
    default_base=_default_base,
    implementation=_implementation,
    pictures=_pictures,
    check=_check,
    contact_sheet=_contact_sheet,
    data_in_words=_data_in_words,
    warm=("torch", "torch._dynamo", "paribus.labs.svhn.run"),
    source=tuple(Path(__file__).parent / f"{part}.py" for part in ("experiments", "data", "augment", "model", "run")),
    data_editions=_data_editions,
)
