"""What holds for every installed lab and each of its changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from elsewhere import elsewhere, without_autocast
from PIL import Image

from paribus.data.cifar10 import ARRAYS, PARTS
from paribus.errors import ParibusError
from paribus.nn.networks.names import Fixed
from paribus.spec.change import Change
from paribus.spec.context import Artifact, Context, Outcomes, Report, Scalars
from paribus.spec.difference import source_difference
from paribus.spec.experiment import Experiment, build, declared_changes, flatten
from paribus.spec.registry import experiment, lab, lab_names


@pytest.fixture(autouse=True)
def _small_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small networks alone judge textures: to initialise a VGG-16 takes seconds, for each of many trials."""
    from paribus.labs.texture import measure

    monkeypatch.setattr(measure, "JUDGES", {name: one for name, one in measure.JUDGES.items() if "vgg16" not in name})


def _tiny_svhn(config: Any) -> Any:
    """The lab on scanned digits, two steps of 16 images, on a narrow network of the same kind."""
    budget = replace(
        config.budget, steps=2, batch_size=16, train_examples=200, validation_examples=20, test_examples=30
    )
    data = config.data if config.data.startswith("image_folder") else "digits"
    return replace(config, data=data, budget=budget)


def _tiny_inversion(config: Any) -> Any:
    """Two steps on two small photographs."""
    method = config.method
    if hasattr(method, "batch_size"):
        method = replace(method, steps=2, batch_size=2, width=4)
    return replace(config, photographs=config.photographs[:2], side=min(config.side, 32), steps=2, method=method)


def _tiny_texture(config: Any) -> Any:
    """Two images of 32x32 of one photograph, two steps at each scale, or two steps of a small network."""
    method, of = config.method, {"textures": "gravel", "photographs": "cat"}.get(config.source.of, config.source.of)
    if hasattr(method, "levels"):
        method = replace(method, steps=2, side=32, width=2)
    of = getattr(method, "weights", of)  # the one style that a style network has
    source = replace(config.source, of=of, period=min(config.source.period, 12))
    return replace(config, source=source, method=method, budget=replace(config.budget, size=32, steps=2))


def _tiny_adversarial(config: Any) -> Any:
    """The lab on scanned digits: a narrow victim after two steps, twelve images, two steps of each attack.

    A network that knows CIFAR-10's classes is attacked on noise with their names.
    """
    knows = isinstance(config.victim, Fixed) and config.victim.embedded
    data = config.data if config.data.startswith("image_folder") else "cifar10" if knows else "digits"
    protocol = replace(config.protocol, steps=2, queries=2, searches=2, images=12)
    if hasattr(config.victim, "recipe"):
        victim = replace(config.victim, widths=(4,), steps=2, batch_size=16, examples=200)
    else:
        victim = config.victim
    return replace(config, data=data, victim=victim, protocol=protocol)


def _tiny_textsnake(config: Any) -> Any:
    """Two steps of two small scenes and one test scene; VGG-16 would take seconds for each."""
    source, network = config.source, config.network
    if hasattr(source, "steps"):
        source = replace(source, steps=2, batch_size=2, side=128)
    small = "slim" if network.backbone == "vgg16" else network.backbone
    if hasattr(source, "steps"):
        network = replace(network, backbone=small, weights="random")
    return replace(config, source=source, network=network, scoring=replace(config.scoring, scenes=1))


TINY: dict[str, Callable[[Any], Any]] = {
    "adversarial": _tiny_adversarial,
    "inversion": _tiny_inversion,
    "svhn": _tiny_svhn,
    "textsnake": _tiny_textsnake,
    "texture": _tiny_texture,
}
"""For each lab, how to make of a configuration one that runs in a moment."""
SAMPLES = (
    *("2", "0.5", "long_tail", "20000", "random", "small_vgg:random"),
    *("small_vgg:random:relu2_1", "relu2_1", "brick", "resnet18", "log", "ctw1500", "yes"),
)
"""Parameters to try a change with: the first that it takes."""

CHANGES = [(name, change) for name in lab_names() for change in lab(name).changes]
ids = [f"{name}/{change.name}" for name, change in CHANGES]


def _with(lab_name: str, change: Change, folder: Path) -> Experiment:
    if change.parameter is None:
        return build(lab(lab_name), (change.name,))
    if change.parameter is str:
        return build(lab(lab_name), (f"{change.name}={folder}",))
    for text in SAMPLES:
        try:
            return build(lab(lab_name), (f"{change.name}={text}",))
        except ParibusError:
            continue
    raise AssertionError(f"none of {SAMPLES} suits {lab_name}/{change.name}: add one that does")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images, thirty in each of three classes."""
    root = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for label in "abc":
        (root / label).mkdir()
        for index in range(30):
            Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(root / label / f"{index}.png")
    return root


@pytest.fixture(scope="session")
def cifar10(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve images of noise in each part of CIFAR-10."""
    root, random = tmp_path_factory.mktemp("cifar10"), np.random.default_rng(0)
    (root / ARRAYS).mkdir()
    for part in PARTS:
        np.save(root / ARRAYS / f"{part}_images.npy", random.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8))
        np.save(root / ARRAYS / f"{part}_labels.npy", np.arange(12) % 10)
    return root


@pytest.fixture(autouse=True)
def _own_data_root(tmp_path: Path, cifar10: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cifar10").symlink_to(cifar10)
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path / "data"))


def _run(lab_name: str, config: Any, device: str = "cpu") -> tuple[dict[str, float], list[tuple[Any, ...]]]:
    reports: list[tuple[Any, ...]] = []

    def emit(report: Report) -> None:
        if isinstance(report, Scalars):
            reports.append((report.step, dict(report.values)))
        elif isinstance(report, Outcomes):
            reports.append((report.metric, report.correct.tobytes()))
        elif isinstance(report, Artifact):
            reports.append((report.name, report.array.tobytes()))

    before = torch.random.get_rng_state()
    numpy_before = np.random.get_state()[1]
    metrics = dict(lab(lab_name).run(TINY[lab_name](config), Context(seed=1, device=device, emit=emit)))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)
    return metrics, reports


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=ids)
def test_a_change_makes_only_the_difference_that_it_declares(name: str, change: Change, folder: Path) -> None:
    changed, base = _with(name, change, folder), build(lab(name), ())
    before, after = flatten(base.config), flatten(changed.config)
    paths = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert paths
    assert all(path == change.path or path.startswith(f"{change.path}.") for path in paths)
    assert changed.hash != base.hash
    assert experiment(changed.name) == changed


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=ids)
def test_a_change_runs_and_repeats_to_the_bit(name: str, change: Change, folder: Path) -> None:
    config = _with(name, change, folder).config
    first, again = _run(name, config), _run(name, config)
    assert first == again
    assert all(np.isfinite(value) for value in first[0].values())


def _here_and_elsewhere(name: str, config: Any) -> list[tuple[dict[str, float], list[tuple[Any, ...]]]]:
    config = replace(config, precision="float32") if hasattr(config, "precision") else config
    with without_autocast():
        here = _run(name, config)
        with elsewhere() as there:
            return [here, _run(name, config, there)]


def _assert_nearly_the_same(here: Any, away: Any) -> None:
    """The first losses agree; where sums are taken in another order, what is trained drifts apart from there."""
    assert away[0].keys() == here[0].keys()
    assert [one[0] for one in away[1]] == [one[0] for one in here[1]]
    if here[1] and isinstance(here[1][0][1], dict):
        assert away[1][0][1] == pytest.approx(here[1][0][1], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", lab_names())
def test_a_baseline_keeps_its_tensors_on_one_device(name: str) -> None:
    here, away = _here_and_elsewhere(name, lab(name).baseline)
    if name == "textsnake":
        _assert_nearly_the_same(here, away)
    else:
        assert away == here, "the same bits"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "change"), CHANGES, ids=ids)
def test_a_change_keeps_its_tensors_on_one_device(name: str, change: Change, folder: Path) -> None:
    _assert_nearly_the_same(*_here_and_elsewhere(name, _with(name, change, folder).config))


@pytest.mark.parametrize("name", lab_names())
def test_seeds_differ_and_the_metrics_are_those_of_the_studies(name: str) -> None:
    config = TINY[name](lab(name).baseline)
    zero, one = (lab(name).run(config, Context(seed=seed)) for seed in (0, 1))
    assert zero != one
    controls = {config: zero}
    for study in lab(name).studies:
        control = TINY[name](experiment(study.control).config)
        if control not in controls and study.metric not in zero:  # a control that is measured otherwise
            controls[control] = lab(name).run(control, Context(seed=0))
        found = controls.get(control, zero)
        assert study.metric in found
        assert study.choose_by is None or (study.choose_by in found and study.choose_by != study.metric)


@pytest.mark.parametrize("name", lab_names())
def test_every_arm_differs_from_its_control_in_one_change(name: str) -> None:
    for study in lab(name).studies:
        control = experiment(study.control)
        for arm in study.arms:
            assert len(declared_changes(control, experiment(arm))) == 1 or study.factorial, f"{study.name}: {arm}"
        assert study.hypothesis
        assert study.question.endswith("?")


@pytest.mark.parametrize("name", lab_names())
def test_studies_stand_on_the_default_base(name: str) -> None:
    found = lab(name)
    assert found.default_base is not None
    base = found.default_base()
    assert base.reason
    for study in found.studies:
        for arm in study.on(base.name).names:
            assert experiment(arm).lab is found


@pytest.mark.parametrize("name", lab_names())
def test_a_lab_resolves_without_torch(name: str) -> None:
    names = sorted({arm for study in lab(name).studies for arm in study.names})
    code = (
        "import sys\nfrom paribus.spec.registry import experiment, lab\n"
        f"for name in {names!r}: experiment(name).hash\n"
        f"lab({name!r}).default_base()\n"
        "print(sorted({'torch', 'matplotlib', 'ray', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", lab_names())
def test_every_field_of_a_configuration_says_what_it_is(name: str) -> None:
    source = (Path(sys.modules[type(lab(name).baseline).__module__].__file__ or "")).read_text()
    import ast

    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        for field, following in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                said = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
                assert said, f"{node.name}.{ast.unparse(field.target)} has no sentence after it"


@pytest.mark.parametrize("name", lab_names())
def test_what_a_report_shows(name: str, folder: Path) -> None:
    found = lab(name)
    config = TINY[name](found.baseline)
    if found.pictures is not None:
        pictures = found.pictures(config, [3, 0, 7])
        assert pictures.images.dtype == np.uint8
        assert len(pictures.images) == len(pictures.labels) == 3
        assert np.array_equal(found.pictures(config, [7]).images[0], pictures.images[2])
    if found.contact_sheet is not None:
        assert found.contact_sheet(config).ndim == 3
    if found.data_in_words is not None:
        assert found.data_in_words(config)
    if found.implementation is not None:
        for change_lab, change in CHANGES:
            if change_lab == name:
                changed = _with(name, change, folder)
                for path in (change.path, change.path.partition(".")[0]):
                    code = found.implementation(path, attrgetter(path)(changed.config))
                    assert code is None or callable(code)
                assert isinstance(source_difference(build(found, ()), changed), str)


@pytest.mark.parametrize("name", lab_names())
def test_the_handout_speaks_of_every_study(name: str) -> None:
    found = lab(name)
    handout = " ".join(
        (Path(sys.modules[type(found.baseline).__module__].__file__ or "").parent / "README.md").read_text().split()
    )
    for study in found.studies:
        assert f"### {study.name.rpartition('.')[2]} " in handout
        assert study.question in handout
        assert study.hypothesis in handout
        assert all(f"`{arm.partition('/')[2]}`" in handout for arm in study.arms)
