"""The detector: pictures of any kind and size in, polygons in their own pixels out, in torch and in ONNX."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import shapely
import torch
from PIL import Image

import paribus
from paribus.data.curved_text import scene
from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.detector import Detector, padded
from paribus.labs.textsnake.draw import drawn
from paribus.labs.textsnake.export import Maps5, export_onnx
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.model import scaled
from paribus.labs.textsnake.seen_at import seen_at
from paribus.labs.textsnake.weights_file import save_weights

from .stand_in import Oracle, everything_is_text, random_network

ARC = np.linspace(-2.4, -0.7, 24)
BAND = np.concatenate(
    [[(800 + r * np.cos(a), 700 + r * np.sin(a)) for a in angles] for r, angles in ((500, ARC), (380, ARC[::-1]))]
)
"""A line of text of radius 60 along an arc, in a picture of 1600x900."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return everything_is_text(tmp_path_factory.mktemp("weights") / "all.safetensors")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(path, random_network(), {})
    return path


@pytest.fixture(scope="module")
def onnx(random_weights: Path) -> Path:
    from paribus.labs.textsnake.weights_file import load_weights

    return export_onnx(load_weights(random_weights), random_weights.with_suffix(".onnx"))


def agreement(first: object, second: object) -> float:
    a, b = shapely.Polygon(first), shapely.Polygon(second)  # type: ignore[arg-type]
    return float(a.intersection(b).area / a.union(b).area)


@pytest.mark.parametrize("size", [320, 640, 1600, 5000])
def test_polygons_and_disks_are_in_the_pictures_own_pixels(weights: Path, size: int) -> None:
    detector = Detector(weights, size=size)
    oracle = detector.network = Oracle([BAND], 1600)
    (found,) = detector.detect(np.zeros((900, 1600, 3), np.uint8))
    assert oracle.seen[1] == min(size, 1600)
    assert agreement(found.polygon, BAND) > 0.85
    away = np.hypot(found.disks[:, 0] - 800, found.disks[:, 1] - 700)
    np.testing.assert_allclose(away, 440, atol=8)
    np.testing.assert_allclose(found.disks[:, 2], 60, atol=6)


def test_a_larger_picture_moves_polygons_by_no_pixel(weights: Path) -> None:
    """Enlarged twice, the middle of the first pixel becomes the middle of the first four: -> 0.5."""
    detector = Detector(weights, size=64)
    square = [[10, 20], [50, 20], [50, 40], [10, 40]]
    detector.network = Oracle([square], 64)
    (small,) = detector.detect(np.zeros((64, 64, 3), np.uint8))
    (large,) = detector.detect(np.zeros((128, 128, 3), np.uint8))
    np.testing.assert_allclose(large.polygon, 2 * small.polygon + 0.5)
    np.testing.assert_allclose(large.disks, np.column_stack([2 * small.disks[:, :2] + 0.5, 2 * small.disks[:, 2]]))


def test_the_surest_text_comes_first(weights: Path) -> None:
    detector = Detector(weights, least_score=0)
    oracle = Oracle([[[10, 10], [90, 10], [90, 30], [10, 30]], [[10, 60], [90, 60], [90, 80], [10, 80]]], 128)

    def network(picture: np.ndarray) -> np.ndarray:
        maps = oracle(picture)
        maps[0, :48] *= 0.7
        return maps

    detector.network = network
    first, second = detector.detect(np.zeros((96, 128, 3), np.uint8))
    assert first.score > second.score
    assert first.polygon[:, 1].min() > 50
    assert second.score < 0.8, "or the next line tells nothing"
    for least, count in ((0.0, 2), (second.score, 2), (0.8, 1), (first.score, 1), (1.0, int(first.score == 1.0))):
        picky = Detector(weights, least_score=least)
        picky.network = network
        assert len(picky.detect(np.zeros((96, 128, 3), np.uint8))) == count


@pytest.mark.parametrize(
    ("width", "height", "size", "seen"),
    [
        (1, 1, 1280, (1, 1)),
        (512, 512, 1280, (512, 512)),
        (6000, 4000, 1280, (1280, 853)),
        (6000, 4000, 6000, (6000, 4000)),
        (4000, 6000, 640, (427, 640)),
        (6000, 40, 1280, (6000, 40)),  # a banner stays readable
        (40, 6000, 1280, (40, 6000)),
        (8000, 800, 1280, (3200, 320)),  # as if it were 4 times its height long
        (100_000, 1000, 1280, (12_800, 128)),  # no more than size^2 pixels
        (1_000_000, 1, 1280, (51_200, 1)),  # nor after padding
        (3, 1_000_000, 1280, (1, 51_200)),
        (100, 100, 50, (50, 50)),
    ],
)
def test_the_size_at_which_a_picture_is_looked_at(width: int, height: int, size: int, seen: tuple[int, int]) -> None:
    assert seen_at(width, height, size) == seen


@pytest.mark.parametrize("size", [32, 50, 320, 1280])
def test_what_the_network_gets_has_no_more_pixels_than_a_padded_square(size: int) -> None:
    random = np.random.default_rng(size)
    side = -(-size // 32) * 32
    for width, height in np.exp(random.uniform(0, np.log(1e6), (500, 2))).astype(int).tolist():
        columns, rows = seen_at(width, height, size)
        assert 1 <= columns <= width
        assert 1 <= rows <= height
        assert -(-columns // 32) * 32 * (-(-rows // 32) * 32) <= side**2


def test_a_picture_of_one_row_and_a_million_columns_is_taken(weights: Path) -> None:
    detector = Detector(weights, size=320)
    seen: list[tuple[int, ...]] = []

    def network(picture: np.ndarray) -> np.ndarray:
        seen.append(picture.shape)
        return np.zeros((5, *picture.shape[:2]), np.float32)

    detector.network = network
    assert detector.detect(np.zeros((1, 1_000_000), np.uint8)) == []
    assert detector.detect(np.zeros((1_000_000, 2), np.uint8)) == []
    assert seen == [(32, 3200, 3), (3200, 32, 3)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (33, 31), (5, 3000), (64, 64, 4), (300, 400, 3)])
def test_any_size_of_array_is_taken_and_left_as_it_was(weights: Path, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    picture.setflags(write=False)
    before = picture.copy()
    height, width = shape[:2]
    detector = Detector(weights, size=256)
    found_all = detector.detect(picture)
    np.testing.assert_array_equal(picture, before)
    if min(shape[:2]) >= 31:
        assert len(found_all) == 1, "all of it is text"
        assert np.ptp(found_all[0].polygon[:, 0]) > 0.8 * width
    else:
        assert len(found_all) <= 1, "text of this height may vanish"
    for found in found_all:
        assert np.isfinite(found.polygon).all()
        assert found.polygon.min() >= -1.5
        assert (found.polygon.max(axis=0) <= np.array([width, height]) + 1).all()
        assert 0 <= found.score <= 1


def test_a_huge_picture_is_made_smaller_before_the_network(weights: Path) -> None:
    detector = Detector(weights)
    oracle = detector.network = Oracle([[[600, 600], [5000, 600], [5000, 1200], [600, 1200]]], 6000)
    (found,) = detector.detect(Image.new("RGB", (6000, 4000)))
    assert oracle.seen == (864, 1280, 3)
    assert agreement(found.polygon, [[600, 600], [5000, 600], [5000, 1200], [600, 1200]]) > 0.9


@pytest.mark.parametrize(
    ("mode", "file"),
    [
        ("L", "a.png"),
        ("LA", "a.png"),
        ("P", "a.png"),
        ("RGBA", "a.webp"),
        ("CMYK", "a.jpg"),
        ("I;16", "a.png"),
        ("1", "a.png"),
        ("1", "a.tif"),
        ("RGB", "a.bmp"),
        ("P", "a.gif"),
    ],
)
def test_a_picture_of_any_mode_is_taken(weights: Path, tmp_path: Path, mode: str, file: str) -> None:
    ramp = np.tile(np.arange(96, dtype=np.uint8), (64, 1))
    if mode == "I;16":
        picture = Image.fromarray(ramp.astype(np.uint16) * 256)
    elif mode == "P":
        picture = Image.fromarray(ramp).convert("P")
        picture.info["transparency"] = 0
    else:
        picture = Image.fromarray(ramp).convert(mode)
    more = {"save_all": True, "append_images": [picture.copy()]} if file.endswith("gif") else {}
    picture.save(tmp_path / file, **more)
    detector = Detector(weights)
    found = detector.detect(tmp_path / file)
    assert len(found) == 1
    np.testing.assert_array_equal(found[0].polygon, detector.detect(str(tmp_path / file))[0].polygon)
    with Image.open(tmp_path / file) as opened:
        np.testing.assert_array_equal(found[0].polygon, detector.detect(opened)[0].polygon)


def test_an_array_of_any_kind_is_taken(random_weights: Path) -> None:
    detector = Detector(random_weights)
    seen: list[np.ndarray] = []
    detector.network = lambda picture: (seen.append(picture), np.zeros((5, *picture.shape[:2]), np.float32))[1]
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    for array in (ramp, ramp[..., None], ramp.astype(np.uint16) * 257, ramp / 255):
        detector.detect(array)
    for picture in seen:
        np.testing.assert_array_equal(picture, np.repeat(ramp[..., None], 3, axis=-1))
    detector.detect(ramp > 99)
    assert seen[-1].max() == 255


def test_pixels_are_those_of_the_upright_picture(weights: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    Image.new("RGB", (80, 200)).save(tmp_path / "turned.jpg", exif=exif)
    detector = Detector(weights)
    oracle = detector.network = Oracle([[[20, 20], [180, 20], [180, 50], [20, 50]]], 224)
    (found,) = detector.detect(tmp_path / "turned.jpg")
    assert oracle.seen == (96, 224, 3)
    assert found.polygon[:, 0].max() > 100


def test_what_is_no_picture_is_one_line(weights: Path, tmp_path: Path) -> None:
    detector = Detector(weights)
    (tmp_path / "text.jpg").write_text("hello")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3)).astype(np.uint8)).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:2000])
    for path in (tmp_path / "text.jpg", tmp_path / "cut.jpg", tmp_path / "none.png", tmp_path):
        with pytest.raises(DataError, match=path.name) as caught:
            detector.detect(path)
        assert "\n" not in str(caught.value)
    for array in (np.full((4, 4), 200.0), np.zeros((0, 4), np.uint8), np.zeros((2, 4, 4, 3), np.uint8)):
        with pytest.raises(DataError, match="expected"):
            detector.detect(array)  # type: ignore[arg-type]


def test_what_makes_no_sense_is_refused(weights: Path, tmp_path: Path) -> None:
    for settings, words in (
        ({"size": 31}, "at least 32"),
        ({"tr_threshold": 0.0}, "tr_threshold"),
        ({"tcl_threshold": float("nan")}, "tcl_threshold"),
        ({"least_score": 1.1}, "least_score"),
        ({"least_score": float("nan")}, "least_score"),
        ({"device": "gpu"}, "'gpu'"),
        ({"size": "a"}, "size a"),
        ({"size": float("nan")}, "size nan"),
        ({"tr_threshold": "a"}, "tr_threshold a"),
        ({"least_score": None}, "least_score None"),
    ):
        with pytest.raises(ConfigError, match=words):
            Detector(weights, **settings)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"weights None: slim, or the path of"):
        Detector(None)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no detector 'none'"):
        Detector("none")
    for name in ("none.safetensors", "none.onnx"):
        with pytest.raises(DataError, match="no such file"):
            Detector(tmp_path / name)
    for name in ("broken.safetensors", "broken.onnx"):
        (tmp_path / name).write_bytes(b"broken")
        with pytest.raises(DataError, match=name):
            Detector(tmp_path / name)
    with pytest.raises(ConfigError, match="cuda"):
        Detector(tmp_path / "broken.onnx", device="cuda")


def test_without_torch_it_is_one_line(weights: Path, onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    with pytest.raises(
        ConfigError, match=r"weights .*all\.safetensors: they need PyTorch \(.*\); an \.onnx file needs none"
    ):
        Detector(weights)
    assert isinstance(Detector(onnx).detect(np.zeros((64, 64, 3), np.uint8)), list)


def test_too_little_memory_is_said_in_one_line(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(weights)

    def full(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(detector.network, "_model", full)
    with pytest.raises(DataError, match=r"64x32 pixels .* smaller size"):
        detector.detect(np.zeros((32, 64, 3), np.uint8))


def test_what_a_network_raises_is_one_line_with_its_cause(weights: Path) -> None:
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail

    detector = Detector(weights)
    for error, words in (
        (MemoryError(), "64x32 pixels are too many"),
        (torch.OutOfMemoryError("CUDA out of memory.\nTried"), "64x32 pixels are too many"),
        (Fail("[ONNXRuntimeError] : 6 : bad allocation"), "64x32 pixels are too many"),
        (RuntimeError("CUDA error:\nunspecified launch failure"), r"64x32 .*\(RuntimeError: CUDA error: unspecified"),
        (Fail("Got invalid\ndimensions"), r"64x32 .*\(onnxruntime\.Fail: Got invalid dimensions\)"),
        (cv2.error("resize\nfailed"), r"64x32 .*\(cv2\.error: resize failed\)"),
        (DataError("as it is"), "^as it is$"),
    ):
        detector.network = Mock(side_effect=error)
        with pytest.raises(DataError, match=words) as caught:
            detector.detect(np.zeros((32, 64, 3), np.uint8))
        assert "\n" not in str(caught.value)
        with pytest.raises(DataError):
            detector.warm()
    detector.network = Mock(side_effect=ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        detector.detect(np.zeros((32, 64, 3), np.uint8))


def test_padding_repeats_the_border() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (33, 64, 3)).astype(np.uint8)
    found = padded(picture)
    assert found.shape == (64, 64, 3)
    np.testing.assert_array_equal(found[:33], picture)
    np.testing.assert_array_equal(found[33:], np.broadcast_to(picture[-1:], (31, 64, 3)))


@pytest.mark.parametrize(("log_radius", "full"), [(True, False), (False, True)])
def test_the_graph_of_inference_gives_what_the_network_gives(log_radius: bool, full: bool) -> None:
    model = random_network()
    model.network = dataclasses.replace(model.network, log_radius=log_radius, full_resolution=full)
    image = torch.from_numpy(scene("test", 0).image[:96, :160].transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        expected = model(scaled(image)).probabilities()
        found = Maps5(model)(image)
    assert found.shape == (1, 5, 96, 160)
    assert expected[:, :2].std() > 0.01, "or there is nothing to compare"
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (512, 512), (32, 320)])
def test_onnx_gives_what_torch_gives(onnx: Path, random_weights: Path, height: int, width: int) -> None:
    from paribus.labs.textsnake.detector import Onnx, Torch

    picture = np.ascontiguousarray(scene("test", 1).image[:height, :width])
    expected, found = Torch(random_weights, "cpu")(picture), Onnx(onnx)(picture)
    assert found.shape == expected.shape == (5, height, width)
    assert expected[:2].std() > 0.001
    np.testing.assert_allclose(found[:2], expected[:2], atol=1e-3, rtol=0)
    np.testing.assert_allclose(found, expected, atol=1e-2, rtol=1e-3)


def test_export_is_quiet_whole_and_another_onnx_file_is_refused(
    onnx: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from paribus.labs.textsnake.weights_file import load_weights

    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as if it were not installed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert export_onnx(load_weights(onnx.with_suffix(".safetensors")), tmp_path / "new" / "d.onnx").is_file()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["d.onnx"]
    assert capfd.readouterr() == ("", "")
    import onnx as library
    from onnx import TensorProto, helper

    def model(
        inputs: list[str | int], outputs: list[str | int], names: tuple[str, str] = ("image", "maps"), kind: int = 1
    ) -> Path:
        """Write a model that repeats its input's first channels and says that it is of these shapes."""
        one, other = (
            helper.make_tensor_value_info(name, kind, shape)
            for name, shape in zip(names, (inputs, outputs), strict=True)
        )
        node = helper.make_node("Concat", [names[0], names[0]], [names[1]], axis=1)
        graph = helper.make_graph([node], "other", [one], [other])
        library.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / "o.onnx"
        )
        return tmp_path / "o.onnx"

    fit: list[str | int] = [1, 3, "h", "w"]
    six: list[str | int] = [1, 6, "h", "w"]
    for path in (
        lambda: model(fit, six, names=("x", "y")),
        lambda: model(["n", 3], ["n", 6]),
        lambda: model([1, 3, 64, 64], [1, 6, 64, 64]),
        lambda: model([1, 1, "h", "w"], [1, 2, "h", "w"]),
        lambda: model(fit, six),
        lambda: model(fit, six, kind=TensorProto.DOUBLE),
    ):
        with pytest.raises(DataError, match=r"o\.onnx: a model of something else"):
            Detector(path())
    unknown: list[str | int] = [1, "c", "h", "w"]  # only computing shows that it gives six maps
    with pytest.raises(DataError, match=r"maps of \(1, 6, 32, 64\) where \(1, 5, 32, 64\)"):
        Detector(model(unknown, ["n", "twice", "h", "w"])).detect(np.zeros((32, 64, 3), np.uint8))


def test_onnx_needs_no_torch_and_neither_do_the_parts(onnx: Path) -> None:
    code = f"""
import sys
import paribus
assert "numpy" not in sys.modules, "import paribus loads next to nothing"
import paribus.textsnake
assert "numpy" not in sys.modules
import numpy as np
from paribus.textsnake import Detector, Instance, decode, drawn, encode, evaluate
square = np.array([[8.0, 8], [56, 8], [56, 24], [8, 24]])
labels = encode([square], (32, 64))
(found,) = decode(labels.text * 1.0, labels.centre * 1.0, labels.radius, labels.cos, labels.sin)
assert isinstance(found, Instance)
assert evaluate([[square]], [[found]]).f == 1.0
drawn(np.zeros((32, 64, 3), np.uint8), [found])
Detector({str(onnx)!r}).detect(np.zeros((64, 96, 3), np.uint8))
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_names() -> None:
    assert sorted(dir(paribus.textsnake)) == [
        "Acts", "Detector", "GroundTruth", "Instance", "Labels", "Prediction", "Refinements", "Scores",
        "decode", "drawn", "encode", "evaluate", "export_onnx", "load_weights",
    ]  # fmt: skip
    assert paribus.textsnake.Detector is Detector
    assert paribus.textsnake.Instance is Instance
    for name in dir(paribus.textsnake):
        assert getattr(paribus.textsnake, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        paribus.textsnake.nothing  # noqa: B018
    assert "textsnake" in dir(paribus)


def test_an_instance_may_be_built_by_position_and_stays_as_it_is() -> None:
    polygon, disks = np.zeros((4, 2)), np.zeros((0, 3))
    found = Instance(polygon, disks, 0.5)
    assert found.polygon is polygon
    assert found.disks is disks
    assert found.score == 0.5
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.score = 1.0  # type: ignore[misc]


def test_a_drawing_shows_polygon_and_axis_and_leaves_the_picture(tmp_path: Path) -> None:
    picture = np.zeros((64, 128, 3), np.uint8)
    disks = np.array([[20.0, 30, 10], [100, 30, 10]])
    found = Instance(polygon=np.array([[20.0, 20], [100, 20], [100, 40], [20, 40]]), disks=disks, score=1.0)
    shown = drawn(picture, [found])
    assert picture.max() == 0
    assert shown.shape == picture.shape
    assert shown[30, 60, 0] > 150, "the axis is orange"
    assert shown[25, 60, 1] > 20, "the inside is tinted"
    assert shown[20, 60, 1] > 100, "the outline is green"
    assert not shown[50:].any()
    np.testing.assert_array_equal(drawn(picture, []), picture)
    nowhere = Instance(polygon=found.polygon + 1e6, disks=np.zeros((0, 3)), score=0.5)
    np.testing.assert_array_equal(drawn(picture, [nowhere]), picture)
