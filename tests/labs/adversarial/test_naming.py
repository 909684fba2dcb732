"""The name in the picture that an attack writes: it means what was done, and what it does not say stands beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adversarial.sample import PAIRS
from paribus.cli import main
from paribus.errors import ChangeError, ConfigError
from paribus.labs.adversarial.experiments import ATTACKS, Protocol
from paribus.labs.adversarial.naming import experiment_of, network_in_words, unnamed
from paribus.labs.adversarial.norms import NORMS
from paribus.nn.networks.names import Fixed, embedded_path, fixed
from paribus.spec.registry import experiment


def test_every_attack_knows_a_norm_and_every_norm_an_attack() -> None:
    assert {by for by, _ in PAIRS} == set(ATTACKS)
    assert {norm for _, norm in PAIRS} == set(NORMS)
    assert len(PAIRS) == 40  # as the handout lists them


@pytest.mark.parametrize(("by", "norm"), PAIRS)
def test_a_name_has_the_attack_the_norm_the_radius_the_network_and_the_steps(by: str, norm: str) -> None:
    radii = (1.0, 10.0, 12.0, 37.0) if norm == "l0" else (0.05, 8 / 255, 1.0, 12.0, 1e-3)
    for place, eps in enumerate(radii):
        for network in ("small_vgg", "small_vgg:cifar10_robust", "small_resnet", "small_vgg:random", "resnet18"):
            how = Protocol(norm=norm, eps=eps, attacks=(by,), steps=(20, 100, 50, 7)[place % 4])
            name = experiment_of(fixed(network), how, targeted=place % 2 == 0).name
            config: Any = experiment(name).config
            done = config.protocol
            assert (done.norm, done.eps, done.attacks, done.steps) == (norm, eps, (by,), how.steps)
            assert config.victim == fixed(network)
            assert config.data == ("digits" if network in ("small_vgg:random", "resnet18") else "cifar10")
            assert config.attacker.targeted == (place % 2 == 0)
            assert not set(unnamed(experiment(name), fixed(network), how)) & {"victim", "protocol.eps"}


def test_what_no_change_says_is_listed() -> None:
    how = Protocol(norm="l2", eps=float("inf"), attacks=("fab_t",), steps=20, queries=1000)
    assert experiment_of(fixed("small_resnet"), how, targeted=False).name.startswith(
        "adversarial/cifar10/small_resnet/"
    )
    found = experiment_of(fixed("small_vgg"), how, targeted=False)
    assert found.name == "adversarial/cifar10/small_vgg/l2/by_fab_t"
    assert unnamed(found, fixed("small_vgg"), how) == ("protocol.eps", "protocol.queries")
    nearest = Protocol(norm="l2", eps=float("inf"), attacks=("deepfool",), steps=50)
    assert unnamed(experiment_of(fixed("small_vgg"), nearest, targeted=False), fixed("small_vgg"), nearest) == ()
    on_imagenet = experiment_of(fixed("resnet18"), nearest, targeted=False)
    assert on_imagenet.name == "adversarial/network=resnet18:imagenet/deepfool"
    assert unnamed(on_imagenet, fixed("resnet18"), nearest) == ("data",)


def test_a_file_of_weights_is_told_without_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"any")
    network, how = fixed(f"small_vgg:{file}"), Protocol(attacks=("pgd",))
    found = experiment_of(network, how, targeted=False)
    assert found.name == "adversarial/by_pgd"
    assert unnamed(found, network, how) == ("victim",)
    digest = hashlib.sha256(b"any").hexdigest()[:16]
    assert network_in_words(network) == {"network": "small_vgg:mine.safetensors", "weights_digest": digest}
    with pytest.raises(ChangeError, match="not a file"):
        experiment(f"adversarial/network=small_vgg:{file.name}")


@pytest.mark.parametrize(
    ("arguments", "name", "network"),
    [
        (
            ["--norm", "l1", "--attack", "apgd_ce"],
            "cifar10/small_vgg/l1/by_apgd_ce/attack_steps=100",
            "small_vgg:cifar10",
        ),
        (
            ["--norm", "l0", "--eps", "80", "--steps", "20", "--target", "dog"],
            "cifar10/small_vgg/l0/eps=80/targeted",
            "small_vgg:cifar10",
        ),
        (
            ["--network", "small_vgg:random", "--eps", "1", "--steps", "20"],
            "network=small_vgg:random/by_pgd/eps=1",
            "small_vgg:random",
        ),
    ],
)
def test_the_picture_that_the_verb_writes_tells_what_was_done(
    arguments: list[str], name: str, network: str, tmp_path: Path
) -> None:
    rows, columns = np.mgrid[0:32, 0:32]
    Image.fromarray(np.stack([8 * columns, 8 * rows, 4 * (rows + columns)], axis=2).astype(np.uint8)).save(
        tmp_path / "slope.png"
    )
    out = tmp_path / "out.png"
    assert main(["adversarial", "attack", str(tmp_path / "slope.png"), *arguments, "--out", str(out)]) == 0
    with Image.open(out) as picture:
        told = {str(key).removeprefix("paribus:"): value for key, value in picture.info.items()}
    assert told["experiment"] == f"adversarial/{name}"
    protocol = experiment(told["experiment"]).config.protocol
    assert float(told["eps"]) == protocol.eps
    assert (told["norm"], (told["attack"],), int(told["steps"])) == (protocol.norm, protocol.attacks, protocol.steps)
    assert (told["network"], told["picture"]) == (network, "slope.png")
    assert told["target"] == ("dog" if "--target" in arguments else "any")
    assert told["unnamed"] == "protocol.queries, protocol.searches"
    if network == "small_vgg:cifar10":
        assert (
            told["weights_digest"]
            == hashlib.sha256(embedded_path(Fixed(weights="cifar10")).read_bytes()).hexdigest()[:16]
        )


@pytest.mark.parametrize(("norm", "eps"), [("linf", "0.0313725"), ("l2", "1"), ("l1", "12"), ("l0", "10")])
def test_each_norm_has_a_radius_of_its_own(
    norm: str, eps: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.full((32, 32, 3), 128, np.uint8)).save(tmp_path / "grey.png")
    arguments = ["--norm", norm, "--attack", "noise", "--out", str(tmp_path / "out.png")]
    assert main(["adversarial", "attack", str(tmp_path / "grey.png"), *arguments]) in (0, 1)
    said = capsys.readouterr().out
    assert f"within {eps} in {norm}" in said or f"{norm} bound {eps}:" in said


@pytest.mark.parametrize("eps", ["0.03", "2.5", "inf", "0", "-1", "nan"])
def test_a_count_of_pixels_is_a_whole_number(eps: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "black.png")
    arguments = ["--norm", "l0", "--eps", eps, "--out", str(tmp_path / "out.png")]
    assert main(["adversarial", "attack", str(tmp_path / "black.png"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"--eps {float(eps):g}: " in error
    with pytest.raises(ConfigError):
        Protocol(norm="l0", eps=float(eps))
