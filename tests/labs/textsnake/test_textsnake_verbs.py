"""``paribus textsnake detect``, ``export`` and ``evaluate``, as one types them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from paribus.cli import main
from paribus.data.pictures import read_picture
from paribus.errors import DataError
from paribus.labs.textsnake import verbs
from paribus.labs.textsnake.detector import Detector, Torch
from paribus.labs.textsnake.made_by import THRESHOLDS, told_of
from paribus.labs.textsnake.pictures_named import drawings_of, pictures_named
from paribus.labs.textsnake.shipped import digest
from paribus.nn.networks.names import file_digest
from paribus.spec.registry import experiment

from .stand_in import everything_is_text


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return everything_is_text(tmp_path_factory.mktemp("weights") / "all.safetensors")


@pytest.fixture
def onnx_named(tmp_path: Path) -> Path:
    (tmp_path / "some.onnx").write_bytes(b"a network")
    return tmp_path / "some.onnx"


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures of three sizes, one of them in a folder of its own, and things that are none."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    Image.new("RGB", (96, 64)).save(folder / "b.png")
    Image.new("L", (64, 64)).save(folder / "a.JPG")
    Image.new("RGBA", (128, 32)).save(folder / "more" / "b.png")
    Image.new("RGB", (64, 64)).save(folder / ".hidden" / "c.png")
    (folder / "notes.txt").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return folder


def textsnake(*arguments: object) -> int:
    return main(["textsnake", *(str(argument) for argument in arguments)])


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_a_line_for_each_picture(pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert textsnake("detect", "pictures", "--weights", weights) == 0
    written = capsys.readouterr()
    assert written.err == ""
    assert [line.rpartition(",")[0] for line in lines(written.out)] == [
        "pictures/a.JPG: 64x64, 1 text",
        "pictures/b.png: 96x64, 1 text",
        "pictures/more/b.png: 128x32, 1 text",
    ]
    assert all(line.endswith(" ms") for line in lines(written.out))


def test_json_has_what_the_library_finds(pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert textsnake("detect", "pictures/*.png", "pictures", "--json", "-", "--weights", weights) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert [(entry["path"], entry["size"]) for entry in found] == [
        ("pictures/b.png", [96, 64]),
        ("pictures/a.JPG", [64, 64]),
        ("pictures/more/b.png", [128, 32]),
    ]
    (expected,) = Detector(weights).detect(pictures / "b.png")
    (instance,) = found[0]["instances"]
    assert set(instance) == {"polygon", "disks", "score"}
    np.testing.assert_allclose(instance["polygon"], expected.polygon, atol=0.0051)
    np.testing.assert_allclose(instance["disks"], expected.disks, atol=0.0051)
    assert instance["score"] == pytest.approx(expected.score, abs=1e-4)
    assert textsnake("detect", "pictures/*.png", "pictures", "--json", "out/found.json", "--weights", weights) == 0
    assert capsys.readouterr().out == "out/found.json: 3 pictures, 3 texts\n"
    assert Path("out/found.json").read_text() == printed
    assert [path.name for path in Path("out").iterdir()] == ["found.json"]


def test_nothing_found_is_a_result(pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (1, 1)).save(pictures / "dot.png")
    assert textsnake("detect", "pictures/dot.png", "--json", "-", "--weights", weights) == 0
    assert json.loads(capsys.readouterr().out) == [{"path": "pictures/dot.png", "size": [1, 1], "instances": []}]


def test_sizes_are_those_of_the_upright_picture(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (32, 128)).save(pictures / "turned.jpg", exif=exif)
    assert textsnake("detect", "pictures/turned.jpg", "--json", "-", "--draw", "drawn", "--weights", weights) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["size"] == [128, 32]
    assert entry["drawing"] == "drawn/turned.png"
    assert read_picture("drawn/turned.png").shape == (32, 128, 3)


def test_a_drawing_tells_the_detector_that_made_it(pictures: Path, weights: Path) -> None:
    assert textsnake("detect", "pictures/b.png", "--draw", "drawn", "--weights", weights, "--size", "640") == 0
    with Image.open("drawn/b.png") as drawing:
        told = {str(key).removeprefix("paribus:"): value for key, value in drawing.info.items()}
    assert told.pop("Software") == "Paribus"
    assert told == {
        "weights": "all.safetensors", "weights_digest": file_digest(weights), "size": "640",
        "tr_threshold": "0.3", "tcl_threshold": "0.15", "least_score": "0.7", "texts": "1",
    }  # fmt: skip


def test_only_with_the_shipped_weights_is_a_detector_an_experiment(weights: Path, onnx_named: Path) -> None:
    how: Any = SimpleNamespace(size=640, tr_threshold=0.3, tcl_threshold=0.6, least_score=0.7)
    told = told_of("slim", how)
    named = experiment(told["experiment"]).config
    assert named.source.digest == told["weights_digest"] == digest()
    assert [getattr(named.decoding, name) for name in THRESHOLDS] == [0.3, 0.6, 0.7]
    assert "experiment" not in told_of(str(weights), how)
    assert told_of(str(onnx_named), how)["weights"] == "some.onnx"


def test_what_is_broken_gets_a_line_and_the_others_go_on(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 128 * 64)
    (pictures / "aa.jpg").write_text("text")
    Image.new("RGB", (640, 640)).save(pictures / "ab.png")
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "JPEG")
    (pictures / "ac.jpg").write_bytes(whole.getvalue()[:500])
    assert textsnake("detect", "pictures", "--json", "found.json", "--draw", "drawn", "--weights", weights) == 1
    written = capsys.readouterr()
    assert written.out == "found.json: 3 pictures, 3 texts\n"
    for line, name in zip(lines(written.err), ("aa.jpg", "ab.png", "ac.jpg"), strict=True):
        assert line.startswith(f"error: pictures/{name}: ")
    assert [entry["path"] for entry in json.loads(Path("found.json").read_text())] == [
        "pictures/a.JPG", "pictures/b.png", "pictures/more/b.png"
    ]  # fmt: skip
    assert {path.name for path in Path("drawn").iterdir()} == {"a.png", "b.png", "b.png.png"}
    assert [(entry["path"], entry["drawing"]) for entry in json.loads(Path("found.json").read_text())][1:] == [
        ("pictures/b.png", "drawn/b.png"), ("pictures/more/b.png", "drawn/b.png.png")
    ]  # fmt: skip


def test_names_of_nothing_get_a_line_and_the_others_go_on(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "dangling.png").symlink_to("nowhere")
    (pictures / "round.png").symlink_to("round.png")
    (pictures.parent / "empty").mkdir()
    names = ("none.png", "pictures/b.png", "pictures/dangling.png", "*.tif", "empty", "pictures/round.png", "a" * 300,
             "~nobody/a.png", "pictures/more/b.png")  # fmt: skip
    assert textsnake("detect", *names, "--json", "-", "--weights", weights) == 1
    written = capsys.readouterr()
    assert [entry["path"] for entry in json.loads(written.out)] == ["pictures/b.png", "pictures/more/b.png"]
    broken = [name for name in names if name not in ("pictures/b.png", "pictures/more/b.png")]
    for line, name in zip(lines(written.err), broken, strict=True):
        assert line.startswith(f"error: {name}: ")
    assert textsnake("detect", *broken, "--json", "f.json", "--weights", weights) == 2, "nothing is left at all"
    (line,) = lines(capsys.readouterr().err)
    assert line.startswith("error: none.png: there is no such file")
    assert line.endswith("(and 6 more)")
    assert not Path("f.json").exists()
    assert textsnake("detect", "pictures", "--json", "-", "--weights", weights) == 1, "links in a folder likewise"
    assert [line.partition(": ")[2].partition(":")[0] for line in lines(capsys.readouterr().err)] == [
        "pictures/dangling.png", "pictures/round.png"
    ]  # fmt: skip


def test_without_torch_it_is_one_line(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures.parent / "f.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    for verb, words in (
        (("detect", "pictures/b.png"), "weights slim: they need PyTorch"),
        (("detect", "pictures/b.png", "--device", "cuda"), "weights slim: they need PyTorch"),
        (("detect", "pictures/b.png", "--device", "cuda", "--weights", "f.onnx"), "f.onnx on cuda: onnxruntime"),
    ):
        assert textsnake(*verb) == 2
        (line,) = lines(capsys.readouterr().err)
        assert words in line
    code = (
        "import sys; sys.modules['torch'] = None; from paribus.cli import main; "
        "sys.exit(main(['textsnake', 'export', '--onnx', 'd.onnx']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: weights slim: they need PyTorch")
    assert len(lines(done.stderr)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "IMAGE"),
        (["none.png"], "no such file"),
        (["pictures/*.tiff"], "matches no picture"),
        (["empty"], "no picture in this folder"),
        (["pictures", "--size", "8"], "--size"),
        (["pictures", "--device", "gpu"], "--device gpu"),
        (["pictures", "--weights", "fast"], "no detector 'fast'"),
        (["pictures", "--weights", "notes.onnx"], "notes.onnx: no such file"),
        (["pictures", "--json", "empty"], "is a folder"),
        (["pictures", "--json", "pictures/b.png"], "overwrite"),
        (["pictures", "--draw", "pictures"], "overwrite"),
        (["pictures/b.png", "--draw", "pictures/more/.."], "overwrite"),
        (["pictures", "--draw", "d", "--json", "empty/../d/a.png"], "a drawing"),
        (["pictures", "--weights", "empty"], "no detector 'empty'"),
        (["pictures", "--weights", "./empty"], "no such file of weights"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (pictures.parent / "empty").mkdir()
    before = {path: path.read_bytes() for path in pictures.rglob("*") if path.is_file()}
    chosen = arguments if "--weights" in arguments else [*arguments, "--weights", str(weights)]
    assert textsnake("detect", *chosen) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert words in written.err
    assert len(lines(written.err)) == 1
    assert before == {path: path.read_bytes() for path in pictures.rglob("*") if path.is_file()}


def test_drawings_go_into_a_folder_within_and_are_not_read_again(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert textsnake("detect", "pictures", "--draw", "pictures/drawn", "--weights", weights) == 0
        assert len(lines(capsys.readouterr().out)) == 3
    assert {path.name for path in (pictures / "drawn").iterdir()} == {"a.png", "b.png", "b.png.png"}
    assert read_picture(pictures / "drawn" / "b.png").any()
    with Image.open(pictures / "drawn" / "b.png") as drawing:
        assert drawing.info["paribus:texts"] == "1"
        assert str(weights.parent) not in str(drawing.info)


def test_names_of_drawings_are_kept_apart() -> None:
    named = [Path(name) for name in ("x/a.jpg", "x/A.png", "y/a.jpg", "z/a.jpg", "w/a.jpg", "a.jpg.gif", "b.c.png")]
    assert [str(path) for path in drawings_of(named, Path("d"))] == [
        "d/a.png", "d/A.png.png", "d/a.jpg.png", "d/a-2.png", "d/a-3.png", "d/a.jpg.gif.png", "d/b.c.png"
    ]  # fmt: skip


def test_ten_thousand_pictures_of_one_name_are_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [Path(f"{number}/a.jpg") for number in range(10_000)]
    drawings = drawings_of(named, Path("d"))
    assert len(set(drawings)) == len(named)
    assert drawings[-1] == Path("d/a-9999.png")
    plain, calls = os.path.realpath, []

    def resolve(path: Path) -> str:
        calls.append(path)
        assert len(calls) <= 2001, "each path is resolved once"
        return plain(path)

    monkeypatch.setattr(os.path, "realpath", resolve)
    verbs._keep_apart(named[:1000], drawings[:1000], Path("d.json"))
    assert len(calls) == 2001


def test_what_a_network_raises_ends_its_picture_only(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Torch.__call__

    def call(self: Torch, picture: np.ndarray) -> np.ndarray:
        if picture.shape == (64, 96, 3):
            raise RuntimeError("no\nkernel")
        return plain(self, picture)

    monkeypatch.setattr(Torch, "__call__", call)
    assert textsnake("detect", "pictures", "--weights", weights) == 1
    written = capsys.readouterr()
    assert len(lines(written.out)) == 2
    assert lines(written.err) == [
        "error: pictures/b.png: 96x64 pixels: they cannot be looked at (RuntimeError: no kernel)"
    ]


def test_what_a_name_stands_for(pictures: Path) -> None:
    def named(*names: str, leave_out: Path | None = None) -> list[str]:
        found, wrong = pictures_named(names, leave_out=leave_out)
        assert wrong == []
        return [str(path) for path in found]

    (pictures / "odd[1].png").write_bytes((pictures / "b.png").read_bytes())
    (pictures / "link.png").symlink_to(pictures / "b.png")
    assert named("pictures/odd[1].png") == ["pictures/odd[1].png"]
    assert named("pictures/notes.txt") == ["pictures/notes.txt"], "a file is taken at its word"
    assert named("pictures/**/b.png") == ["pictures/b.png", "pictures/more/b.png"]
    assert named("**/more/*.png") == ["pictures/more/b.png"]
    assert named(f"{pictures}/m*") == [f"{pictures}/more/b.png"]
    assert named("pictures/m*") == ["pictures/more/b.png"]
    assert named("pictures/b.png", "pictures/link.png") == ["pictures/b.png"], "each picture once"
    assert named("pictures/more", leave_out=pictures) == ["pictures/more/b.png"]
    assert named("pictures", leave_out=pictures / "more")[-1] != "pictures/more/b.png"
    (pictures / "more").rename(pictures / "of[2024]")
    assert named("pictures/of[2024]/*.png") == ["pictures/of[2024]/b.png"], "no pattern where there is such a folder"
    assert named("pictures/of[2024]/[a-c].*") == ["pictures/of[2024]/b.png"]
    with pytest.raises(DataError, match="no picture"):
        pictures_named(["pictures/.hidden/*.jpg"])


def test_an_interruption_keeps_what_is_done(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = Detector.detect, []

    def detect(self: Detector, image: object) -> object:
        calls.append(image)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(self, image)  # type: ignore[arg-type]

    monkeypatch.setattr(Detector, "detect", detect)
    assert textsnake("detect", "pictures", "--json", "found.json", "--weights", weights) == 130
    assert len(json.loads(Path("found.json").read_text())) == 2
    assert "found.json has 2 of 3 pictures" in capsys.readouterr().err
    Path("found.json").write_text("kept")
    calls[:] = [None, None]
    assert textsnake("detect", "pictures", "--json", "found.json", "--weights", weights) == 130
    assert Path("found.json").read_text() == "kept", "nothing done takes no file's place"


def test_a_full_disk_ends_it_and_keeps_what_is_done(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from paribus.data import pictures as writing

    plain, calls = writing.write_whole, []

    def write_whole(path: Path, data: bytes) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(path))
        plain(path, data)

    monkeypatch.setattr(writing, "write_whole", write_whole)
    assert textsnake("detect", "pictures", "--json", "found.json", "--draw", "drawn", "--weights", weights) == 1
    assert len(json.loads(Path("found.json").read_text())) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_a_terminal_shows_a_bar_only_where_there_are_many(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in (("FORCE_COLOR", "1"), ("TERM", "xterm"), ("COLUMNS", "80")):
        monkeypatch.setenv(variable, value)
    assert textsnake("detect", "pictures", "--json", "-", "--weights", weights) == 0
    written = capsys.readouterr()
    assert len(json.loads(written.out)) == 3
    assert "100%" in written.err
    assert textsnake("detect", "pictures/b.png", "--json", "-", "--weights", weights) == 0
    written = capsys.readouterr()
    assert "getting ready" in written.err
    assert "100%" not in written.err


def test_an_exported_detector_finds_the_same(pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert textsnake("export", "--onnx", "models/d.onnx", "--weights", weights) == 0
    written = capsys.readouterr()
    assert written.out.startswith("models/d.onnx: ")
    assert written.err == ""
    found = []
    for chosen in (weights, "models/d.onnx"):
        assert textsnake("detect", "pictures", "--json", "-", "--weights", chosen) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert [len(entry["instances"]) for entry in found[0]] == [1, 1, 1]
    for one, other in zip(*found, strict=True):
        for key in ("polygon", "disks"):
            np.testing.assert_allclose(one["instances"][0][key], other["instances"][0][key], atol=0.02)
    code = (
        "import sys; from paribus.cli import main; "
        "code = main(['textsnake', 'detect', 'pictures', '--weights', 'models/d.onnx']); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(lines(done.stdout)) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--onnx", "d.pt"], "ends in .onnx"),
        (["--onnx", "d.onnx", "--weights", "e.onnx"], "ONNX already"),
        (["--onnx", "d.onnx", "--weights", "none.safetensors"], "no such file"),
        ([], "--onnx"),
    ],
)
def test_a_wrong_export_is_one_line(
    pictures: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert textsnake("export", *arguments) == 2
    written = capsys.readouterr().err
    assert words in written
    assert len(lines(written)) == 1
    assert not list(Path().glob("*.onnx"))


def test_a_published_data_set_is_scored(pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (set_ := Path("set")).mkdir()
    for part in ("Images/Test", "Groundtruth/Polygon/Test"):
        (set_ / part).mkdir(parents=True)
    (outline := Detector(weights).detect(pictures / "b.png")[0].polygon.round().astype(int).clip(0, 95))
    xs, ys = (" ".join(map(str, column)) for column in outline.T)
    for number in (1, 2):
        Image.new("RGB", (96, 64)).save(set_ / "Images" / "Test" / f"img{number}.jpg")
    place = set_ / "Groundtruth" / "Polygon" / "Test"
    (place / "poly_gt_img1.txt").write_text(f"x: [[{xs}]], y: [[{ys}]], ornt: [u'h'], transcriptions: [u'word']\n")
    far = "x: [[80 90 90 80]], y: [[0 0 5 5]], ornt: [u'h'], transcriptions: [u'word']\n"
    (place / "poly_gt_img2.txt").write_text(far)
    assert textsnake("evaluate", "--ground-truth", "set", "--data", "total_text", "--weights", weights) == 0
    printed = capsys.readouterr().out
    assert "deteval at tr 0.7, tp 0.6" in printed
    assert "recall 0.500, precision 0.500, F 0.500 (2 images" in printed
    assert textsnake("evaluate", "--ground-truth", "set", "--data", "totaltext", "--protocol", "ctw1500",
                     "--weights", weights) == 0  # fmt: skip
    assert "ctw1500 at iou 0.5" in capsys.readouterr().out
    for arguments, words in (
        (("--data", "coco"), "'coco'"),
        (("--data", "ctw1500"), "CTW1500"),
        (("--data", "total_text", "--protocol", "best"), "'best'"),
        (("--data", "total_text", "--split", "val"), "'val'"),
        (("--data", "total_text", "--tr", "7"), "tr is 7"),
        (("--data", "total_text", "--iou", "0.5"), "--iou: deteval does not read it; --tr and --tp"),
        (("--data", "total_text", "--protocol", "ctw1500", "--tp", "0.6"), "--tp: ctw1500 does not read it; --iou"),
    ):
        assert textsnake("evaluate", "--ground-truth", "set", *arguments, "--weights", weights) == 2
        written = capsys.readouterr().err
        assert words in written
        assert len(lines(written)) == 1


def test_broken_images_are_left_out_of_a_score_where_asked(
    pictures: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Path("set/test")
    place.mkdir(parents=True)
    noise = Image.effect_noise((96, 64), 50)
    for name in ("a", "b", "c"):
        noise.save(place / f"{name}.jpg")
        (place / f"{name}.gt").write_text("0 0 2 2 90 60 0\n")
    command = ("evaluate", "--ground-truth", "set", "--data", "msra_td500", "--weights", weights)
    whole = (place / "a.jpg").read_bytes()
    (place / "a.jpg").write_bytes(whole[: len(whole) // 2])
    assert textsnake(*command) == 2
    said = capsys.readouterr().err
    assert "a.jpg: a broken picture" in said
    assert len(lines(said)) == 1
    (place / "b.jpg").write_text("no picture")
    assert textsnake(*command, "--skip-broken") == 0
    written = capsys.readouterr()
    for line, words in zip(lines(written.err), ("a.jpg: a broken picture", "b.jpg: not an image"), strict=True):
        assert line.startswith("note: left out: ")
        assert words in line
    assert "(1 images, 1 ground truths and 0 do-not-care, 1 predictions" in written.out


def test_paths_that_are_no_text_are_shown() -> None:
    assert verbs._shown(Path("a\udcff.png")) == "a\ufffd.png"
    assert json.dumps(verbs.entry(Path("a\udcff.png"), (1, 1), [])) == (
        '{"path": "a\\udcff.png", "size": [1, 1], "instances": []}'
    )
