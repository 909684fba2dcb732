"""A user's own images: any mode, EXIF orientation, two layouts, broken files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paribus.data.catalogue import available, load
from paribus.data.image_folder import parse, pinned, read_image
from paribus.data.image_set import ImageSet
from paribus.errors import DataError

PARTS = ("train", "validation", "test")


def fill(folder: Path, count: int, level: int, suffix: str = "png") -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(level)
    for index in range(count):
        pixels = np.clip(random.normal(level, 20, (20, 30, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03d}.{suffix}")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    fill(tmp_path / "pets" / "cat", 40, 60)
    fill(tmp_path / "pets" / "dog", 20, 180, "jpg")
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "pets" / ".hidden").mkdir()
    return tmp_path / "pets"


def load_all(folder: Path, root: Path) -> list[ImageSet]:
    return [load(f"image_folder={folder}", part, folder=root) for part in PARTS]  # type: ignore[arg-type]


def test_a_folder_is_divided_class_by_class(pets: Path, tmp_path: Path) -> None:
    assert available(f"image_folder={pets}")
    train, validation, test = load_all(pets, tmp_path)
    assert [np.bincount(part.labels).tolist() for part in (train, validation, test)] == [[28, 14], [6, 3], [6, 3]]
    assert train.classes == ("cat", "dog")
    assert train.images.shape == (42, 32, 32, 3)
    brightness = train.images.mean(axis=(1, 2, 3))
    assert (brightness[train.labels == 0] < 120).all()
    assert (brightness[train.labels == 1] > 120).all()
    assert len(np.unique(train.labels[:20])) == 2
    every = np.concatenate([part.images for part in (train, validation, test)]).reshape(60, -1)
    assert len(np.unique(every, axis=0)) == 60


def test_the_division_goes_by_names_and_ignores_the_place(pets: Path, tmp_path: Path) -> None:
    before = load_all(pets, tmp_path / "one")
    moved = pets.rename(tmp_path / "moved")
    after = load_all(moved, tmp_path / "two")
    assert all((one.images == other.images).all() for one, other in zip(before, after, strict=True))


def test_given_parts_are_kept(tmp_path: Path) -> None:
    for part, count in (("train", 20), ("test", 4)):
        fill(tmp_path / "given" / part / "a", count, 50)
        fill(tmp_path / "given" / part / "b", count, 150)
    train, validation, test = load_all(tmp_path / "given", tmp_path)
    assert [len(part) for part in (train, validation, test)] == [34, 6, 8]
    fill(tmp_path / "given" / "validation" / "a", 5, 50)
    fill(tmp_path / "given" / "validation" / "b", 5, 150)
    assert [len(part) for part in load_all(tmp_path / "given", tmp_path)] == [40, 10, 8]


def test_the_cache_follows_the_files(pets: Path, tmp_path: Path) -> None:
    before = load_all(pets, tmp_path)
    arrays = sorted((tmp_path / "image_folder").rglob("*.npy"))
    times = [path.stat().st_mtime_ns for path in arrays]
    load_all(pets, tmp_path)
    assert [path.stat().st_mtime_ns for path in arrays] == times
    for path in pets.glob("cat/*.png"):
        Image.new("RGB", (9, 9), (1, 2, 3)).save(path)
    after = load_all(pets, tmp_path)
    assert [len(part) for part in after] == [len(part) for part in before]
    assert (after[0].images[after[0].labels == 0] == (1, 2, 3)).all()


def test_a_pinned_name_is_the_files_that_are_there(pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = pinned(str(pets))
    monkeypatch.chdir(tmp_path)
    assert pinned("pets") == name
    assert parse(name)[0] == pets
    assert available(name)
    loaded = load(name, "test", folder=tmp_path)
    assert (loaded.images == load("image_folder=pets", "test", folder=tmp_path).images).all()
    assert loaded.source == f"image_folder ({pets})"
    (pets / "cat" / "000.png").rename(pets / "cat" / "new.png")
    assert pinned("pets") != name
    with pytest.raises(DataError, match="files have changed"):
        load(name, "test", folder=tmp_path)


@pytest.mark.parametrize("text", ["a#b", "a#" + "g" * 24, "#" + "0" * 25])
def test_a_folder_may_have_a_hash_sign_in_its_name(text: str) -> None:
    assert parse(f"image_folder={text}") == (Path(text), None)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", (10, 200, 30), (10, 200, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
        ("LA", (100, 0), (255, 255, 255)),
        ("RGBA", (10, 200, 30, 255), (10, 200, 30)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),
        ("I;16", 257 * 90, (90, 90, 90)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str, colour: object, expected: tuple[int, ...]) -> None:
    path = tmp_path / "image.png"
    Image.new(mode, (12, 12), colour).save(path)  # type: ignore[arg-type]
    image = read_image(path)
    assert image.shape == (32, 32, 3)
    assert (image == expected).all()


def test_cmyk_and_real_values_are_read(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "image.jpg")
    red, green, blue = read_image(tmp_path / "image.jpg")[0, 0].tolist()
    assert red > 200
    assert max(green, blue) < 60
    Image.fromarray(np.full((8, 8), 0.5, dtype=np.float32)).save(tmp_path / "image.tif")
    assert (read_image(tmp_path / "image.tif") == 128).all()


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (31, 31)), (6, (0, 31)), (8, (31, 0))])
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    pixels[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "image.png", exif=exif)
    image = read_image(tmp_path / "image.png")
    bright = [(y, x) for y in (0, 31) for x in (0, 31) if image[y, x].min() > 200]
    assert bright == [corner]


@pytest.mark.parametrize("damage", ["text", "cut", "empty"])
def test_a_broken_image_is_one_line_that_names_it(pets: Path, tmp_path: Path, damage: str) -> None:
    path = pets / "dog" / "007.jpg"
    whole = path.read_bytes()
    path.write_bytes({"text": b"hello", "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    with pytest.raises(DataError, match=r"dog/007.jpg: not a readable image \(.+\)") as caught:
        load_all(pets, tmp_path)
    assert "\n" not in str(caught.value)


def test_folders_that_hold_no_classification_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        load_all(tmp_path / "none", tmp_path)
    (tmp_path / "flat").mkdir()
    with pytest.raises(DataError, match="has no class; at least two"):
        load_all(tmp_path / "flat", tmp_path)
    fill(tmp_path / "one" / "only", 5, 50)
    with pytest.raises(DataError, match="has only the class 'only'; at least two"):
        load_all(tmp_path / "one", tmp_path)
    fill(tmp_path / "one" / "second", 2, 50)
    with pytest.raises(DataError, match="second: has 2 images; at least 3 are expected"):
        load_all(tmp_path / "one", tmp_path)


def test_a_class_that_only_one_part_has_is_named(tmp_path: Path) -> None:
    for name in ("train/a", "train/b", "test/a"):
        fill(tmp_path / "given" / name, 6, 50)
    with pytest.raises(DataError, match="test: has no image of class 'b'"):
        load_all(tmp_path / "given", tmp_path)
    for name in ("test/b", "test/c"):
        fill(tmp_path / "given" / name, 6, 50)
    with pytest.raises(DataError, match="test: has class 'c', which train lacks"):
        load_all(tmp_path / "given", tmp_path)
