"""What a trial keeps beside its metrics: pictures of what it was given and of what it made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from paribus.labs.texture import measure
from paribus.labs.texture.experiments import Budget, Config, Optimisation, Source
from paribus.labs.texture.run import run
from paribus.labs.texture.sources import sample
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Artifact, Context, Report
from paribus.spec.registry import experiment, study
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


def test_the_study_of_photographs_of_things_runs_in_all_its_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one photograph at a small size: each arm is measured against the mirror image, and none is another."""
    monkeypatch.setattr(measure, "JUDGES", {"cifar10": measure.JUDGES["cifar10"]})
    asked = study("texture.photographs")
    distances = set()
    for name in asked.names:
        config = experiment(name).config
        assert config.source.of == "photographs"
        tiny = replace(config, source=Source(of="cat"), budget=Budget(size=32, images=2, steps=2))
        distances.add(run(tiny, Context(seed=0))[asked.metric])
    assert len(distances) == len(asked.names) == 3
    assert all(np.isfinite(distance) for distance in distances)
