"""Any picture in, PNG out: every mode, orientation and kind of damage, against arrays worked out by hand."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paribus.data.pictures import as_picture, read_picture, resized, square, write_png
from paribus.errors import DataError

RAMP = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
COLOUR = np.stack([RAMP, RAMP[::-1], 255 - RAMP], axis=-1)


def saved(path: Path, image: Image.Image, **settings: object) -> Path:
    image.save(path, **settings)
    return path


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, axis=-1)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.ppm", "a.webp"])
def test_colours_come_back_to_the_bit(tmp_path: Path, name: str) -> None:
    settings = {"lossless": True} if name.endswith("webp") else {}
    found = read_picture(saved(tmp_path / name, Image.fromarray(COLOUR), **settings))
    np.testing.assert_array_equal(found, COLOUR)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert read_picture(str(tmp_path / name)).shape == (4, 6, 3)


def test_grey_modes(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "L.png", Image.fromarray(RAMP))), grey(RAMP))
    bits = RAMP > 100
    np.testing.assert_array_equal(
        read_picture(saved(tmp_path / "1.png", Image.fromarray(bits))), grey(bits.astype(np.uint8) * 255)
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("16.png", RAMP.astype(np.uint16) * 257),
        ("16.tiff", RAMP.astype(np.uint16) * 257),
        ("16big.tiff", (RAMP.astype(np.uint16) * 257).astype(">u2")),
        ("32small.tiff", RAMP.astype(np.int32)),
        ("real1.tiff", (RAMP / 255).astype(np.float32)),
        ("real255.tiff", RAMP.astype(np.float32)),
        ("real65535.tiff", RAMP.astype(np.float32) * 257),
    ],
)
def test_wide_grey_values_are_scaled_and_not_clipped(tmp_path: Path, name: str, values: np.ndarray) -> None:
    np.testing.assert_array_equal(read_picture(saved(tmp_path / name, Image.fromarray(values))), grey(RAMP))


@pytest.mark.parametrize(
    "values",
    [RAMP[..., None], RAMP.astype(np.uint16) * 257, RAMP.astype(">u2") * 257, RAMP / 255, (RAMP / 255)[..., None]]
    + [(RAMP / 255).astype(kind) for kind in (np.float16, np.float32)],
)
def test_arrays_are_read_as_files_of_their_kind(values: np.ndarray) -> None:
    np.testing.assert_array_equal(as_picture(values), grey(RAMP))


def test_arrays_of_several_channels_are_scaled_alike(tmp_path: Path) -> None:
    np.testing.assert_array_equal(as_picture(COLOUR.astype(np.uint16) * 257), COLOUR)
    np.testing.assert_array_equal(as_picture(COLOUR / 255), COLOUR)
    np.testing.assert_array_equal(as_picture(RAMP > 100), grey((RAMP > 100).astype(np.uint8) * 255))
    see_through = np.dstack([COLOUR, RAMP])
    np.testing.assert_array_equal(as_picture(see_through / 255), as_picture(see_through))
    wide = np.random.default_rng(0).integers(0, 65536, (40, 50)).astype(np.uint16)
    np.testing.assert_array_equal(as_picture(wide), read_picture(saved(tmp_path / "wide.png", Image.fromarray(wide))))
    real = np.random.default_rng(0).random((40, 50), np.float32)
    np.testing.assert_array_equal(as_picture(real), read_picture(saved(tmp_path / "a.tiff", Image.fromarray(real))))


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (RAMP.astype(np.float32), r"float32 from 0 to 230; 0 to 1 is expected"),
        (np.full((2, 2), np.nan), r"float64 from nan to nan; 0 to 1"),
        (np.full((2, 2), -0.1), r"from -0\.1 to -0\.1; 0 to 1"),
        (RAMP.astype(np.int64), r"int64 of \(4, 6\); uint8, uint16, bool, or floating"),
        (COLOUR[..., :2], r"\(4, 6, 2\).* expected"),
        (np.zeros((0, 4), np.uint8), "expected"),
        (np.array([["a", "b"]]), "expected"),
    ],
)
def test_an_array_that_is_no_picture_is_one_line(array: np.ndarray, why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        as_picture(array)
    assert "\n" not in str(caught.value)


def test_very_large_values_are_scaled_by_the_largest(tmp_path: Path) -> None:
    values = np.array([[0, 10**6], [-5, 5 * 10**5]], dtype=np.int32)
    found = read_picture(saved(tmp_path / "a.tiff", Image.fromarray(values)))
    np.testing.assert_array_equal(found, grey(np.array([[0, 255], [0, 128]], dtype=np.uint8)))


def test_what_is_not_a_number_is_black(tmp_path: Path) -> None:
    values = np.array([[np.nan, 1.0], [0.5, 0.0]], dtype=np.float32)
    found = read_picture(saved(tmp_path / "a.tiff", Image.fromarray(values)))
    np.testing.assert_array_equal(found[..., 0], [[0, 255], [128, 0]])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_lies_on_white(tmp_path: Path, mode: str) -> None:
    alpha = np.where(np.arange(6) < 3, 255, 0).astype(np.uint8) * np.ones((4, 1), np.uint8)
    if mode == "RGBA":
        image, opaque = Image.fromarray(np.dstack([COLOUR, alpha])), COLOUR
    else:
        image, opaque = Image.fromarray(np.dstack([RAMP, alpha])), grey(RAMP)
    path = saved(tmp_path / "a.png", image)
    expected = np.where(alpha[..., None] == 255, opaque, 255)
    np.testing.assert_array_equal(read_picture(path), expected)


def test_half_transparent_is_mixed_with_white(tmp_path: Path) -> None:
    pixels = np.array([[[100, 0, 200, 128]]], dtype=np.uint8)
    found = read_picture(saved(tmp_path / "a.png", Image.fromarray(pixels))).astype(float)
    np.testing.assert_allclose(found[0, 0], 255 + (pixels[0, 0, :3] - 255.0) * 128 / 255, atol=1)


def test_palettes_with_and_without_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    expected = np.array([[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [40, 50, 60]]])
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "a.png", image)), expected)
    expected[:, 1] = 255
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "b.png", image, transparency=1)), expected)
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "c.gif", image, transparency=1)), expected)


@pytest.mark.parametrize(
    ("mode", "name"), [("CMYK", "a.tiff"), ("CMYK", "a.jpg"), ("YCbCr", "a.tiff"), ("LAB", "a.tiff")]
)
def test_other_colour_spaces_keep_their_colours(tmp_path: Path, mode: str, name: str) -> None:
    flat = np.full((16, 16, 3), (200, 80, 40), dtype=np.uint8)
    image = Image.fromarray(flat)
    if mode == "LAB":
        from skimage.color import rgb2lab

        lab = rgb2lab(flat[:1, :1] / 255.0)[0, 0]
        raw = bytes([round(lab[0] * 255 / 100), round(lab[1]) & 255, round(lab[2]) & 255]) * 256
        image = Image.frombytes("LAB", (16, 16), raw)
    else:
        image = image.convert(mode)
    found = read_picture(saved(tmp_path / name, image)).astype(int)
    assert np.abs(found - flat).max() <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_as_its_exif_orientation_says(tmp_path: Path, orientation: int) -> None:
    """Orientation k says which side of what is stored is up: undoing it by hand must give the picture."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 3),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, 1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read_picture(saved(tmp_path / "a.png", Image.fromarray(COLOUR), exif=exif))
    np.testing.assert_array_equal(found, undo(COLOUR))


def test_exif_data_that_cannot_be_read_turns_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(COLOUR), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xffnonsense")
    np.testing.assert_array_equal(read_picture(path), COLOUR)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tiff"])
def test_of_an_animation_the_first_frame(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(np.full((5, 7, 3), value, np.uint8)) for value in (200, 10, 90)]
    settings = {"lossless": True} if name.endswith("webp") else {}
    path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:], **settings)
    np.testing.assert_array_equal(read_picture(path), np.full((5, 7, 3), 200))


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\x00")) + chunk(b"IEND", b"")


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"not a picture at all", "no picture that Pillow knows"),
        (png()[:60], "damaged or cut short"),
        (png()[:-30], "damaged or cut short"),
        (bomb(60_000, 60_000), "178 million pixels"),
        (bomb(12_000, 12_000), "damaged or cut short"),
        (bomb(0, 5), "picture"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "holiday.png"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_picture(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert why in said
    assert "\n" not in said


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.png: there is no such file"):
        read_picture(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match="a folder"):
        read_picture(tmp_path)
    with pytest.raises(DataError, match="file name too long"):
        read_picture(tmp_path / ("a" * 300))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: object, *arguments: object, **settings: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", forbidden)
    with pytest.raises(DataError, match=r"a\.png: permission denied; a picture that may be read"):
        read_picture(tmp_path / "a.png")


@settings(max_examples=150)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]), st.integers(0, 2**32), st.data())
def test_damage_anywhere_gives_a_picture_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, kind: str, seed: int, data: st.DataObject
) -> None:
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, kind)
    raw = bytearray(file.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=6)):
        raw[place] = data.draw(st.integers(0, 255))
    del raw[data.draw(st.integers(0, len(raw))) :]
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(raw))
    said, found = "", COLOUR
    try:
        found = read_picture(path)
    except DataError as error:
        said = str(error)
    assert "\n" not in said
    assert found.ndim == 3
    assert found.shape[2] == 3


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 40))
def test_resizing_keeps_the_proportions_and_never_enlarges(height: int, width: int, longest: int) -> None:
    picture = np.full((height, width, 3), 77, dtype=np.uint8)
    found = resized(picture, longest=longest)
    assert (found == 77).all()
    if max(height, width) <= longest:
        assert found.shape == picture.shape
    else:
        assert max(found.shape[:2]) == longest
        assert min(found.shape[:2]) == pytest.approx(min(height, width) * longest / max(height, width), abs=1)


def test_a_square_is_cut_from_the_middle() -> None:
    picture = np.zeros((20, 60, 3), dtype=np.uint8)
    picture[:, 20:40] = 200
    assert (square(picture, 10) == 200).all()
    assert (square(picture.transpose(1, 0, 2), 33) == 200).all()
    assert square(picture, 33).shape == (33, 33, 3)


@pytest.mark.parametrize("name", ["inversion/layer=conv3_1", "image_folder=/tmp/Größe 图像"])
def test_a_png_knows_its_experiment(tmp_path: Path, name: str) -> None:
    path = write_png(tmp_path / "new" / "a.png", COLOUR, experiment=name, seed=3, network="small_vgg")
    np.testing.assert_array_equal(read_picture(path), COLOUR)
    with Image.open(path) as image:
        image.load()
        texts = image.text
    assert texts == {
        "Software": "Paribus",
        "paribus:experiment": name,
        "paribus:seed": "3",
        "paribus:network": "small_vgg",
    }
    assert write_png(tmp_path / "b.png", COLOUR, experiment=name, seed=3, network="small_vgg").read_bytes() == (
        path.read_bytes()
    )
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_a_png_that_no_experiment_made_names_none(tmp_path: Path) -> None:
    with Image.open(write_png(tmp_path / "a.png", COLOUR, method="fast")) as image:
        assert image.text == {"Software": "Paribus", "paribus:method": "fast"}  # type: ignore[attr-defined]


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_a_png_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_png(tmp_path / "a.png", COLOUR, experiment="x/base")
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_png(path, COLOUR[::-1], experiment="x/base")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("array", [COLOUR / 255, COLOUR[..., :2], np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_not_written(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(DataError, match="uint8"):
        write_png(tmp_path / "a.png", array, experiment="x/base")
