"""What a trial keeps beside its metrics: pictures of what it was given and of what it made."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from paribus.labs.texture import measure
from paribus.labs.texture.experiments import Budget, Config, Optimisation
from paribus.labs.texture.run import run
from paribus.labs.texture.sources import sample
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Artifact, Context, Report
from paribus.spec.seed import Streams


def test_a_trial_shows_its_sources_and_the_first_image_made_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "JUDGES", {"cifar10": measure.JUDGES["cifar10"]})
    config = Config(budget=Budget(size=32, images=2, steps=1), method=Optimisation(scales=1))
    kept: dict[str, NDArray[np.uint8]] = {}

    def keep(report: Report) -> None:
        if isinstance(report, Artifact):
            kept[report.name] = report.array

    run(config, Context(seed=0, emit=keep))
    sources = to_pictures(sample(config, Streams(0)).sources)
    assert kept["images"].shape == (3 * len(sources), 32, 32, 3)
    assert np.array_equal(kept["picture/original"], np.concatenate(list(sources), axis=1))
    for place in range(len(sources)):
        shown = kept["picture/found"][:, 32 * place : 32 * (place + 1)]
        assert np.array_equal(shown, kept["images"][len(sources) + 2 * place])
    assert np.array_equal(kept["strip"][-1], kept["picture/found"][:, :32])
