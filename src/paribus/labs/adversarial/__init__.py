"""How little must change? Adversarial attacks on image classifiers, and what defences are worth.

The lab attacks networks in four norms with a dozen attacks, defends them by transformations of the input and by
training on adversarial examples, and reports the worst case, image by image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paribus.labs.adversarial.changes import CHANGES
from paribus.labs.adversarial.experiments import BASELINE, Config, Trained
from paribus.labs.adversarial.studies import STUDIES
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.spec.lab import Base, Lab, Pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _run(config: Config, context: Context) -> Mapping[str, float]:
    from paribus.labs.adversarial.run import run

    return run(config, context)


def _check(config: Config, context: Context) -> Iterable[Finding]:
    from paribus.labs.adversarial.check import check

    return check(config, context)


def _pictures(config: Config, indices: Sequence[int]) -> Pictures:
    import numpy as np

    from paribus.labs.adversarial.data import part

    test = part(config, "test")
    rows = np.asarray(indices, dtype=np.int64)
    return Pictures(np.asarray(test.images[rows]), test.labels[rows], test.classes)


def _contact_sheet(config: Config) -> NDArray[np.uint8]:
    from paribus.data.inspect import contact_sheet
    from paribus.labs.adversarial.data import part

    return contact_sheet(part(config, "test"))


def _data_in_words(config: Config) -> str:
    from paribus.labs.adversarial.data import part

    network = "a network trained in each trial" if isinstance(config.victim, Trained) else str(config.victim)
    return f"{part(config, 'test').source}; attacked: {network}"


def _data_editions() -> Iterable[str]:
    from paribus.data.catalogue import editions
    from paribus.nn.networks import names

    return (*editions(), *names.editions())


def _implementation(path: str, value: Any) -> object | None:
    from paribus.labs.adversarial.implementation import implementation

    return implementation(path, value)


def _default_base() -> Base:
    return Base("adversarial/base", "scanned digits need no download, and their victims train within each trial")


_FOLDER = Path(__file__).parent
LAB = Lab(
    name="adversarial",
    question="How little must change in an image until a network errs, and what helps?",
    baseline=BASELINE,
    run=_run,
    changes=CHANGES,
    studies=STUDIES,
    metric="robust_accuracy",
    papers=(
        'Szegedy et al. (2014), "Intriguing properties of neural networks"',
        'Goodfellow, Shlens & Szegedy (2015), "Explaining and Harnessing Adversarial Examples"',
        'Carlini & Wagner (2017), "Towards Evaluating the Robustness of Neural Networks"',
        'Madry et al. (2018), "Towards Deep Learning Models Resistant to Adversarial Attacks"',
        'Athalye, Carlini & Wagner (2018), "Obfuscated Gradients Give a False Sense of Security"',
        'Carlini et al. (2019), "On Evaluating Adversarial Robustness"',
        'Zhang et al. (2019), "Theoretically Principled Trade-off between Robustness and Accuracy"',
        'Croce & Hein (2020), "Reliable Evaluation of Adversarial Robustness"',
        'Andriushchenko et al. (2020), "Square Attack"',
        'Wong, Rice & Kolter (2020), "Fast Is Better than Free"',
        'Croce & Hein (2021), "Mind the Box"',
    ),
    default_base=_default_base,
    implementation=_implementation,
    pictures=_pictures,
    check=_check,
    contact_sheet=_contact_sheet,
    data_in_words=_data_in_words,
    warm=("torch", "torch._dynamo", "paribus.labs.adversarial.run"),
    source=(
        _FOLDER / "attacks",
        *(
            _FOLDER / f"{part}.py"
            for part in (
                "experiments",
                "norms",
                "data",
                "victim",
                "training",
                "defences",
                "protocol",
                "evaluation",
                "masking",
                "watching",
                "strip",
                "whole_pixels",
                "remembered",
                "panel",
                "run",
            )
        ),
    ),
    data_editions=_data_editions,
)
