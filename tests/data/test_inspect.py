"""Planted faults must be found, and a sound set must not be blamed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from paribus.data.catalogue import load
from paribus.data.image_set import ImageSet
from paribus.data.inspect import contact_sheet, inspect
from paribus.errors import DataError
from paribus.spec.finding import Finding


def sound(count: int, seed: int) -> ImageSet:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return ImageSet(images, np.arange(count, dtype=np.int64) % 4, ("a", "b", "c", "d"), "made for this test")


def changed(part: ImageSet, row: int, image: NDArray[np.uint8], label: int | None = None) -> ImageSet:
    images, labels = part.images.copy(), part.labels.copy()
    images[row] = image
    if label is not None:
        labels[row] = label
    return replace(part, images=images, labels=labels)


def finding(parts: dict[str, ImageSet], check: str) -> Finding:
    (found,) = [one for one in inspect(parts) if one.check == check]
    return found


def test_a_sound_set_has_nothing_but_ok() -> None:
    findings = inspect({"train": sound(200, 1), "validation": sound(100, 2), "test": sound(100, 3)})
    assert {one.level for one in findings} == {"ok"}
    assert len({one.check for one in findings}) == len(findings) == 3 * 7 + 3 * 3
    assert all(one.meaning.endswith(".") and one.value for one in findings)


@pytest.mark.parametrize(
    ("counts", "level"), [((50, 50, 50, 50), "ok"), ((100, 50, 50, 50), "note"), ((300, 20, 90, 90), "warning")]
)
def test_imbalance_is_measured(counts: tuple[int, ...], level: str) -> None:
    labels = np.repeat(np.arange(4), counts)
    part = replace(sound(sum(counts), 1), labels=labels)
    found = finding({"train": part}, "class balance (train)")
    shares = np.array(counts) / sum(counts)
    assert found.level == level
    assert f"ratio {max(counts) / min(counts):.2f}" in found.value
    assert f"entropy {-(shares * np.log2(shares)).sum() / 2:.3f}" in found.value
    assert f"{max(counts) / sum(counts):.1%}" in found.meaning


def test_a_class_without_examples_is_named() -> None:
    part = sound(100, 1)
    part = replace(part, labels=np.where(part.labels == 2, 1, part.labels))
    found = finding({"train": part}, "class balance (train)")
    assert (found.level, found.value.split(";")[0]) == ("warning", "no example of c")


def test_labels_outside_the_classes_are_counted_and_shown() -> None:
    part = sound(50, 1)
    part = changed(changed(part, 7, part.images[7], 4), 9, part.images[9], -1)
    found = finding({"train": part}, "labels (train)")
    assert found.level == "warning"
    assert found.value == "2 of 50 outside 0..3; example 7 has 4"


def test_a_repeated_image_is_found_and_two_labels_for_one_image_too() -> None:
    part = sound(150, 1)
    same = changed(part, 140, part.images[12], int(part.labels[12]))
    found = finding({"train": same}, "duplicates (train)")
    assert (found.level, found.value) == ("note", "1 of 150 repeat an earlier image; e.g. 12 and 140")
    torn = changed(part, 140, part.images[12], int(part.labels[12] + 1) % 4)
    found = finding({"train": torn}, "duplicates (train)")
    assert found.level == "warning"
    assert "1 under another label" in found.value


def test_noisy_copies_within_a_folder_of_pictures_are_a_warning(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 254, (330, 32, 32, 3))
    images[300:] = images[:30] + random.integers(-2, 3, (30, 32, 32, 3))
    for row, image in enumerate(np.clip(images, 0, 255).astype(np.uint8)):
        place = tmp_path / "pictures" / "train" / "ab"[row % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{row:03d}.png")
    (tmp_path / "pictures" / "validation").symlink_to("train")
    (tmp_path / "pictures" / "test").symlink_to("train")
    part = load(f"image_folder={tmp_path}/pictures", "train", folder=tmp_path / "data")
    found = finding({"train": part}, "near duplicates (train)")
    assert (found.level, found.value.split(" of ")[0]) == ("warning", "60")
    assert finding({"train": part}, "duplicates (train)").level == "ok", "no copy is one to the bit"


def test_images_that_are_alike_by_chance_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    part = sound(200, 1)
    alike = part.images[7] * (1 - 0.13) + 0.13 * part.images[8]
    part = changed(changed(part, 140, alike.astype(np.uint8)), 9, part.images[3], int(part.labels[3]))
    found = finding({"train": part}, "near duplicates (train)")
    assert found.level == "note"
    assert found.value == (
        "2 of 199 correlate 0.98 or more with another, 0 of them 0.995 or more; "
        "pairs with two labels: 1 of 1; e.g. 7 and 140"
    ), "and what repeats to the bit is told elsewhere"
    monkeypatch.setattr("paribus.data.inspect.LOOKED_AT", 50)
    sampled = finding({"train": part}, "near duplicates (train)").value
    assert "of 50 looked at (of 199 in all)" in sampled


def test_leakage_to_the_bit_and_nearly_is_found_and_told_apart() -> None:
    train, test = sound(200, 1), sound(100, 2)
    test = changed(test, 30, train.images[55])
    test = changed(test, 31, (train.images[66] * 0.7 + 30).astype(np.uint8))
    parts = {"train": train, "test": test}
    exact, near = (finding(parts, f"{kind} across train and test") for kind in ("duplicates", "near duplicates"))
    assert exact.level == "warning"
    assert exact.value == "1 of 100 in test are in train too; e.g. 55 and 30"
    assert near.level == "note"
    assert near.value.startswith("1 of 100 in test")
    assert near.value.endswith("e.g. 66 and 31")


def test_other_class_shares_in_test_are_noted() -> None:
    train, test = sound(400, 1), sound(400, 2)
    test = replace(test, labels=np.where(np.arange(400) < 100, 0, test.labels))
    found = finding({"train": train, "test": test}, "class shares across train and test")
    assert (found.level, found.value) == ("note", "total variation 0.188")


def test_constant_images_are_counted() -> None:
    part = sound(60, 1)
    part = changed(part, 3, np.array([9, 99, 200], dtype=np.uint8))
    found = finding({"train": part}, "constant images (train)")
    assert (found.level, found.value) == ("warning", "1 of 60")


@pytest.mark.parametrize(("shift", "level"), [(8, "warning"), (3, "warning"), (1, "note"), (0, "ok")])
def test_a_lost_scale_shows_in_the_range(shift: int, level: str) -> None:
    part = sound(60, 1)
    found = finding({"train": replace(part, images=part.images >> shift)}, "value range (train)")
    assert found.level == level
    assert found.value == f"0..{255 >> shift} of 0..255"


def test_channels_show_their_means_grey_images_and_a_lost_channel() -> None:
    part = sound(60, 1)
    means, deviations = part.images.mean(axis=(0, 1, 2)), part.images.std(axis=(0, 1, 2))
    found = finding({"train": part}, "channels (train)")
    assert found.level == "ok"
    assert "mean " + " ".join(f"{mean:.1f}" for mean in means) in found.value
    assert "deviation " + " ".join(f"{deviation:.1f}" for deviation in deviations) in found.value
    assert "cannot be known" in found.meaning
    grey = replace(part, images=np.repeat(part.images[..., :1], 3, axis=3))
    assert finding({"train": grey}, "channels (train)").level == "note"
    lost = part.images.copy()
    lost[..., 1] = 0
    assert finding({"train": replace(part, images=lost)}, "channels (train)").level == "warning"
    single = replace(part, images=part.images[..., :1])
    assert finding({"train": single}, "channels (train)").level == "note"


def test_parts_of_other_shapes_are_reported_and_an_empty_part_is_refused() -> None:
    small = replace(sound(20, 2), images=sound(20, 2).images[:, :4])
    assert finding({"train": sound(20, 1), "test": small}, "shapes across train and test").level == "warning"
    empty = ImageSet(np.zeros((0, 8, 8, 3), np.uint8), np.zeros(0, np.int64), ("a", "b"), "nothing")
    with pytest.raises(DataError, match="the test part is empty"):
        inspect({"test": empty})


@pytest.mark.parametrize("channels", [1, 3])
def test_a_contact_sheet_has_a_row_for_each_class(channels: int) -> None:
    part = sound(10, 1)
    part = replace(part, images=part.images[..., :channels])
    sheet = contact_sheet(part, columns=4, gap=2)
    assert sheet.shape == (4 * 10 + 2, 4 * 10 + 2, 3)
    for label in range(4):
        members = np.flatnonzero(part.labels == label)
        for column in range(4):
            tile = sheet[2 + label * 10 : 10 + label * 10, 2 + column * 10 : 10 + column * 10]
            expected = part.images[members[column]] if column < len(members) else 255
            assert (tile == expected).all()


def test_images_and_labels_must_fit_together() -> None:
    with pytest.raises(DataError, match=r"labels are int64 of shape \(3,\)"):
        ImageSet(np.zeros((4, 8, 8, 3), np.uint8), np.zeros(3, np.int64), ("a",), "x")
    with pytest.raises(DataError, match="images are float64"):
        ImageSet(np.zeros((4, 8, 8, 3)), np.zeros(4, np.int64), ("a",), "x")  # type: ignore[arg-type]
