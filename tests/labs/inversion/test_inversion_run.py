"""Trials of the inversion lab: decoders and deep priors, what is measured, and that an interruption leaves no trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from paribus.cli import main
from paribus.errors import ConfigError
from paribus.labs.inversion import LAB, album
from paribus.labs.inversion.data import crops, originals
from paribus.labs.inversion.decoder import UpConvolutional
from paribus.labs.inversion.deep_prior import Hourglass
from paribus.labs.inversion.descent import descend
from paribus.labs.inversion.experiments import (
    BASELINE,
    QUASI_NEWTON,
    TEST,
    TRAINING,
    Config,
    Decoder,
    DeepPrior,
    Descent,
    Features,
    Method,
    Prior,
)
from paribus.labs.inversion.implementation import implementation
from paribus.labs.inversion.loss import shifted
from paribus.labs.inversion.run import JUDGE_SEED, run
from paribus.nn.initial import initialise
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed, embedded_path, file_digest
from paribus.nn.pixels import to_pictures, to_tensor
from paribus.spec.context import Artifact, Context, Diverged, Progress, Report
from paribus.spec.registry import experiment
from paribus.spec.same_examples import same_examples
from paribus.spec.seed import Streams
from paribus.train import loop, optimise
from paribus.train.image_optimizer import LBFGS
from paribus.train.schedule import Steps

RANDOM = Fixed(weights="random")
TINY = Config(
    photographs=("astronaut", "cat"), side=32, steps=6, features=Features(network=RANDOM, layers=("relu1_2",))
)
METHODS: dict[str, Method] = {
    "descent": Descent(jitter=2),
    "lbfgs": QUASI_NEWTON,
    "decoder": Decoder(steps=6, batch_size=2, width=4),
    "deep_prior": DeepPrior(channels=(4, 8), inputs=3),
}


def test_what_is_measured_and_what_is_learnt_from_are_disjoint() -> None:
    assert not set(TEST) & set(TRAINING)
    assert BASELINE.photographs == TEST
    assert Decoder().photographs == TRAINING
    with pytest.raises(ConfigError, match="train on what is measured: cat"):
        Config(method=Decoder(photographs=("cat", "coins")))


def test_a_network_does_not_judge_itself() -> None:
    with pytest.raises(ConfigError, match="judge"):
        Config(judge=Fixed(name="small_vgg", weights="cifar10"))


def test_pictures_come_back_as_they_went_in() -> None:
    found = originals(TEST, 20)
    assert found.shape == (4, 3, 20, 20)
    assert 0 <= float(found.min()) < float(found.max()) <= 1
    assert torch.equal(to_tensor(to_pictures(found)), found)
    assert to_pictures(torch.tensor([-1.0, 2.0, 0.5]).view(1, 3, 1, 1)).flatten().tolist() == [0, 255, 128]


def test_crops_are_the_streams_and_of_the_photographs_named() -> None:
    first = crops(("brick", "gravel"), 16, 6, Streams(1), "crops/step=0")
    assert first.shape == (6, 3, 16, 16)
    assert torch.equal(first, crops(("brick", "gravel"), 16, 6, Streams(1), "crops/step=0"))
    assert not torch.equal(first, crops(("brick", "gravel"), 16, 6, Streams(1), "crops/step=1"))
    assert torch.equal(first[:, 0], first[:, 1])  # both are grey
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("side", [32, 37, 64])
@pytest.mark.parametrize("layers", [("relu1_1",), ("pool1",), ("relu3_2",), ("fc",), ("relu1_2", "relu4_2", "average")])
def test_a_decoder_makes_images_of_any_layer(side: int, layers: tuple[str, ...]) -> None:
    network = load(RANDOM, Streams(0))
    features = network.features(torch.rand(2, 3, side, side), layers)
    decoder = UpConvolutional(features, side, 4)
    initialise(decoder, Streams(0))
    found = decoder(features)
    assert found.shape == (2, 3, side, side)
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in decoder.parameters())  # each layer has its way in


def test_a_decoder_does_not_depend_on_the_scale_of_features() -> None:
    features = {"relu3_2": torch.rand(2, 8, 8, 8)}
    scaled = {"relu3_2": 1000 * features["relu3_2"] + 7}
    first, second = UpConvolutional(features, 32, 4), UpConvolutional(scaled, 32, 4)
    for decoder in (first, second):
        initialise(decoder, Streams(0))
    torch.testing.assert_close(first(features), second(scaled), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("side", [16, 17, 24])
@pytest.mark.parametrize("layer", ["relu1_1", "pool3", "relu4_2", "fc"])
def test_a_decoder_is_trained_on_the_smallest_pictures(side: int, layer: str) -> None:
    config = replace(TINY, side=side, features=Features(network=RANDOM, layers=(layer,)), method=METHODS["decoder"])
    assert np.isfinite(list(run(config, Context(seed=0)).values())).all()


def test_a_long_gradient_is_shortened_and_a_short_one_is_left_to_the_bit() -> None:
    def trained_with(factor: float, largest: float) -> tuple[float, torch.Tensor]:
        maker = nn.Linear(4, 3 * 8 * 8)
        initialise(maker, Streams(0))

        def make() -> torch.Tensor:
            return maker(torch.ones(1, 4)).view(1, 3, 8, 8)

        def loss(step: int) -> loop.StepLoss:
            error = factor * (make() - 0.1 * step).square().mean()
            return loop.StepLoss(error, error.detach())

        schedule = Steps(rates=(0.01,), starts=(0.0,))
        found = album.trained(maker, make, loss, steps=3, schedule=schedule, context=Context(seed=0), largest=largest)
        gradients = [parameter.grad for parameter in maker.parameters() if parameter.grad is not None]
        return float(torch.cat([gradient.flatten() for gradient in gradients]).norm()), found.images

    assert trained_with(1000.0, torch.inf)[0] > 10
    assert trained_with(1000.0, 1.0)[0] == pytest.approx(1.0, abs=1e-4)
    free, bound = trained_with(0.01, torch.inf), trained_with(0.01, 1.0)
    assert free[0] == bound[0] < 1
    assert torch.equal(free[1], bound[1])


@pytest.mark.parametrize("size", [(16, 16), (33, 21)])
def test_an_hourglass_makes_images_of_any_size(size: tuple[int, int]) -> None:
    glass = Hourglass(3, (4, 8, 8))
    initialise(glass, Streams(0))
    found = glass(torch.rand(1, 3, *size)).detach()
    assert found.shape == (1, 3, *size)
    assert 0 < float(found.min()) < float(found.max()) < 1


@pytest.mark.parametrize("name", METHODS)
def test_a_trial_keeps_its_images(name: str) -> None:
    kept: dict[str, np.ndarray] = {}

    def emit(report: Report) -> None:
        if isinstance(report, Artifact):
            kept[report.name] = report.array

    metrics = run(replace(TINY, method=METHODS[name]), Context(seed=0, emit=emit))
    assert kept["strip"].shape[1:] == (32, 32, 3)
    assert kept["picture/original"].shape == kept["picture/found"].shape == (32, 64, 3)
    assert all(picture.dtype == np.uint8 for picture in kept.values())
    assert np.array_equal(kept["strip"][-1], kept["picture/found"][:, :32])
    assert np.array_equal(
        kept["picture/original"], np.concatenate(list(to_pictures(originals(TINY.photographs, 32))), 1)
    )
    gap = (kept["picture/original"] / 255.0 - kept["picture/found"] / 255.0).reshape(32, 2, 32, 3)
    expected = np.mean(10 * np.log10(1 / (gap**2).mean(axis=(0, 2, 3))))
    assert metrics["psnr"] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("name", ["descent", "lbfgs", "deep_prior"])
def test_several_starts_are_one_batch_and_the_first_is_the_one_there_is_without_others(name: str) -> None:
    kept: dict[int, np.ndarray] = {}
    metrics = {}
    for starts in (1, 3):

        def emit(report: Report, starts: int = starts) -> None:
            if isinstance(report, Artifact) and report.name == "picture/found":
                kept[starts] = report.array

        metrics[starts] = run(replace(TINY, method=METHODS[name], starts=starts), Context(seed=0, emit=emit))
    one, three = kept[1].astype(int), kept[3].astype(int)
    assert three.shape == (96, 64, 3)
    assert abs(three[:32] - one).max() <= 2  # sums over another batch may be rounded otherwise
    assert abs(three[32:64] - three[64:]).max() > 10
    assert set(metrics[3]) - set(metrics[1]) == {"agreement"}
    rows = three.reshape(3, 32, 2, 32, 3) / 255
    apart = np.mean([(rows[i] - rows[j]) ** 2 for i, j in ((0, 1), (0, 2), (1, 2))], axis=0).mean(axis=(0, 2, 3))
    assert metrics[3]["agreement"] == pytest.approx(np.mean(-10 * np.log10(apart)), abs=0.05)


def test_a_number_of_starts_that_means_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="starts is 0; at least 1 is expected"):
        Config(starts=0)
    with pytest.raises(ConfigError, match="starts is 2, but a decoder starts from no noise; 1 is expected"):
        Config(starts=2, method=Decoder())


@pytest.mark.parametrize("name", METHODS)
def test_an_interrupted_trial_ends_with_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name_of in ((loop, "PROGRESS_SECONDS"), (optimise, "SHOW_SECONDS")):
        monkeypatch.setattr(module, name_of, 0.0)
        monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    config = replace(TINY, method=METHODS[name])

    class Interrupted(Exception):  # noqa: N818
        pass

    def run_with(scratch: Path | None, stop: bool) -> tuple[dict[str, float], dict[str, bytes], int]:
        kept: dict[str, bytes] = {}
        steps: list[int] = []

        def emit(report: Report) -> None:
            if isinstance(report, Artifact):
                kept[report.name] = report.array.tobytes()
            if isinstance(report, Progress):
                steps.append(report.done)
                if stop and report.done == 4:
                    raise Interrupted

        return dict(run(config, Context(seed=2, scratch=scratch, emit=emit))), kept, steps[0]

    straight = run_with(None, stop=False)
    with pytest.raises(Interrupted):
        run_with(tmp_path, stop=True)
    again = run_with(tmp_path, stop=False)
    assert again[:2] == straight[:2]
    assert again[2] > straight[2]  # it did go on from the middle


def test_it_finds_the_image_of_a_shallow_layer() -> None:
    """Without a prior that pulls elsewhere, a layer that keeps all gives all back."""
    config = replace(
        TINY,
        steps=150,
        features=Features(network=RANDOM, layers=("conv1_1",)),
        prior=Prior(bound=0.0, variation=0.0),
        precision="float32",
    )
    assert run(config, Context(seed=0))["psnr"] > 30


def test_divergence_is_a_finding() -> None:
    wild = Descent(schedule=Steps(rates=(1e30,), starts=(0.0,)))
    with pytest.raises(Diverged):
        run(replace(TINY, method=wild, precision="float32"), Context(seed=0))


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"relu9_1"):
        run(replace(TINY, features=Features(network=RANDOM, layers=("relu9_1",))), Context(seed=0))


def test_arms_of_one_seed_start_from_the_same_noise_and_random_weights() -> None:
    kept: dict[str, np.ndarray] = {}

    def strip(config: Config) -> np.ndarray:
        def emit(report: Report) -> None:
            if isinstance(report, Artifact):
                kept[report.name] = report.array

        run(config, Context(seed=5, emit=emit))
        return kept["strip"]

    first = strip(TINY)
    second = strip(replace(TINY, prior=Prior(variation=100.0)))
    assert np.array_equal(first[0], second[0])
    assert not np.array_equal(first[-1], second[-1])


@pytest.mark.parametrize("seed", range(5))
def test_the_judge_is_no_network_that_is_inverted(seed: int) -> None:
    name = experiment("inversion/features=resnet18:random:layer1_2").config.features.network
    inverted, judge = load(name, Streams(seed)), load(name, Streams(JUDGE_SEED))
    assert not torch.equal(inverted.stages["layer1_1"].conv1.weight, judge.stages["layer1_1"].conv1.weight)


def test_where_an_arm_has_random_weights_all_compute_in_float32() -> None:
    random = set()
    for study in LAB.studies:
        configs: list[Any] = [experiment(name).config for name in study.names]
        if any(config.features.network.weights == "random" for config in configs):
            random.add(study.name)
            assert {config.precision for config in configs} == {"float32"}, study.name
    names = ("weights", "weights_freely", "weights_deep", "architecture", "architecture_random", "shortcut_random")
    assert random == {f"inversion.{name}" for name in (*names, "weights_resnet")}


def test_lbfgs_and_jitter_are_shown_as_the_code_that_they_are() -> None:
    code = {
        name: implementation("method", experiment(f"inversion/{name}").config.method)
        for name in ("base", "lbfgs", "jitter=2", "jitter=2/constant_rate=0.1", "constant_rate=0.1")
    }
    assert code == {
        "base": descend,
        "lbfgs": LBFGS,
        "jitter=2": shifted,
        "jitter=2/constant_rate=0.1": shifted,
        "constant_rate=0.1": descend,
    }


@pytest.mark.parametrize(
    ("change", "words"), [("lbfgs", ["class LBFGS", "def descend"]), ("jitter=2", ["def shifted(images"])]
)
def test_a_diff_shows_the_source_of_lbfgs_and_jitter(
    change: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", "inversion/base", f"inversion/{change}"]) == 0
    said = capsys.readouterr().out
    for word in words:
        assert word in said


def test_a_report_names_the_network_and_pairs_arms_of_two_networks() -> None:
    base, random, other = (
        experiment(f"inversion/{name}") for name in ("base", "weights=random", "features=vgg16:relu1_1+fc8")
    )
    assert base.lab.network_in_words is not None
    told = [base.lab.network_in_words(one.config) for one in (base, random, other)]
    digest = file_digest(embedded_path(Fixed(weights="cifar10")))
    assert told == [
        f"small_vgg (cifar10 {digest})",
        "small_vgg (random)",
        "vgg16 (imagenet)",
    ]
    assert same_examples(base, random)
