"""Sequences of annotated images: SynthText, and what all text sets have in common."""

import pickle

import numpy as np
import pytest
import scipy.io
from annotated_samples import HEIGHT, OCTAGON, SQUARE, WIDTH, facts, flat, image, mat, mat_row, one, write

from paribus.data.text_sets import TEXT_SETS, AnnotatedImages, read
from paribus.errors import DataError, UnknownName

# SynthText


def cells(values):
    row = np.empty((1, len(values)), object)
    for place, value in enumerate(values):
        row[0, place] = value
    return row


def synthtext(root, names, boxes, texts):
    scipy.io.savemat(root / "gt.mat", {"imnames": cells(names), "wordBB": cells(boxes), "txt": cells(texts)})
    for name in names:
        image(root / name)
    return root


def test_synthtext(tmp_path):
    square, octagon = np.array(SQUARE, float), np.array(OCTAGON[::2], float)
    both = np.stack([square.T, octagon.T], -1)
    texts = [np.array([" I\nlost "]), np.array(["solo  "])]
    root = synthtext(tmp_path, ["8/ballet_106_0.jpg", "9/b.jpg"], [both, square.T], texts)
    images = read("synthtext", root, "train")
    assert [found.path.relative_to(root).as_posix() for found in images] == ["8/ballet_106_0.jpg", "9/b.jpg"]
    assert facts(images[0].instances) == [(square.tolist(), "I", False), (octagon.tolist(), "lost", False)]
    assert facts(images[1].instances) == [(square.tolist(), "solo", False)]


def test_synthtext_broken(tmp_path):
    square = np.array(SQUARE, float).T
    far = square + 500
    root = synthtext(tmp_path, ["1/a.jpg", "1/b.jpg", "1/c.jpg"], [square, far, square[:1]], ["two words", "w", "w"])
    images = read("synthtext", root, "train")
    with pytest.raises(DataError, match=r"gt\.mat: image 1: 2 words and 1 boxes"):
        images[0]
    with pytest.raises(DataError, match=r"gt\.mat: image 2: word 1: the box .* wholly outside"):
        images[1]
    with pytest.raises(DataError, match=r"gt\.mat: image 3: wordBB of 1x4"):
        images[2]
    images = read("synthtext", root, "train", skip_broken=True)
    assert [len(found.instances) for found in images] == [1, 0, 1]
    assert [all(text.ignore for text in found.instances) for found in images] == [True, True, True]
    assert len(images.problems) == 3
    (root / "1/a.jpg").unlink()
    with pytest.raises(DataError, match=r"gt\.mat: image 1: 1/a\.jpg is missing"):
        read("synthtext", root, "train")
    assert len(read("synthtext", root, "train", skip_broken=True)) == 2
    with pytest.raises(UnknownName, match="no split 'test'"):
        read("synthtext", root, "test")
    (root / "gt.mat").write_bytes(b"MATLAB no longer")
    with pytest.raises(DataError, match=r"gt\.mat: not a MATLAB file"):
        read("synthtext", root, "train")
    (root / "gt.mat").unlink()
    with pytest.raises(DataError, match=r"no gt\.mat"):
        read("synthtext", root, "train")


def test_synthtext_stays_in_its_folder(tmp_path):
    square = np.array(SQUARE, float).T
    away = image(tmp_path / "away.jpg")
    root = tmp_path / "set"
    root.mkdir()
    synthtext(root, ["1/..a.jpg", "1/../../away.jpg", str(away)], [square] * 3, ["w"] * 3)
    with pytest.raises(DataError, match=r"image 2: 1/\.\./\.\./away\.jpg leads out of .*\(and 1 more\)"):
        read("synthtext", root, "train")
    images = read("synthtext", root, "train", skip_broken=True)
    assert [path.name for path in images.paths] == ["..a.jpg"]
    assert len(images.problems) == 2


# What all have in common


@pytest.fixture
def many(tmp_path):
    for number in (10, 2, 1):
        image(tmp_path / f"ch4_training_images/img_{number}.jpg", (WIDTH, HEIGHT + number))
        place = tmp_path / f"ch4_training_localization_transcription_gt/gt_img_{number}.txt"
        write(place, f"{flat(SQUARE)},word {number}\n")
    return tmp_path


def test_the_sequence_is_lazy_and_in_natural_order(many):
    write(many / "ch4_training_localization_transcription_gt/gt_img_2.txt", "broken")
    images = read("icdar2015", many, "train")
    assert [path.name for path in images.paths] == ["img_1.jpg", "img_2.jpg", "img_10.jpg"]
    assert images[0].instances[0].text == "word 1"
    assert images[-1].instances[0].text == "word 10"
    assert images[-1].size == (WIDTH, HEIGHT + 10)
    with pytest.raises(DataError, match="gt_img_2"):
        images[1]
    with pytest.raises(IndexError):
        images[3]


def test_a_slice_is_a_sequence_that_shares_its_problems(many):
    write(many / "ch4_training_localization_transcription_gt/gt_img_2.txt", "broken")
    images = read("icdar2015", many, "train", skip_broken=True)
    part = images[1:][::-1]
    assert isinstance(part, AnnotatedImages)
    assert [found.path.name for found in part] == ["img_10.jpg", "img_2.jpg"]
    assert images.problems == part.problems != ()


def test_it_can_be_sent_to_another_process(many):
    images = pickle.loads(pickle.dumps(read("icdar2015", many, "train")))
    assert [found.instances[0].text for found in images] == ["word 1", "word 2", "word 10"]


def test_missing_partners(many):
    (many / "ch4_training_images/img_1.jpg").unlink()
    (many / "ch4_training_localization_transcription_gt/gt_img_2.txt").unlink()
    with pytest.raises(DataError, match=r"gt_img_1\.txt: its image is missing.* \(and 1 more\)"):
        read("icdar2015", many, "train")
    images = read("icdar2015", many, "train", skip_broken=True)
    assert [path.name for path in images.paths] == ["img_10.jpg"]
    assert "gt_img_1.txt: its image is missing" in images.problems[0]
    assert "img_2.jpg: its annotation is missing" in images.problems[1]


def test_images_that_cannot_be_read(many):
    images, left_out = (read("icdar2015", many, "train", skip_broken=skip) for skip in (False, True))
    (many / "ch4_training_images/img_1.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"img_1\.jpg: not an image that can be read"):
        images[0]
    assert [(found.size, len(found.instances)) for found in left_out] == [
        ((0, 0), 0), ((WIDTH, HEIGHT + 2), 1), ((WIDTH, HEIGHT + 10), 1)
    ]  # fmt: skip
    assert len(left_out.problems) == 1
    assert "img_1.jpg: not an image" in left_out.problems[0]
    (many / "ch4_training_images/img_1.jpg").unlink()
    with pytest.raises(DataError, match=r"img_1\.jpg: the image is missing"):
        images[0]
    assert left_out[0].instances == ()
    assert "img_1.jpg: the image is missing" in left_out.problems[1]


def test_layouts_and_names_that_are_not_there(many, tmp_path):
    with pytest.raises(DataError, match=r"test images of ICDAR 2015; ch4_test_images is expected \(or "):
        read("icdar2015", many, "test")
    with pytest.raises(UnknownName, match="no split 'validation'"):
        read("icdar2015", many, "validation")
    with pytest.raises(UnknownName, match="'total_text'"):
        read("totaltext", many, "train")
    with pytest.raises(DataError, match="not a folder"):
        read("icdar2015", tmp_path / "nowhere", "train")
    image(many / "ch4_training_images/img_10.png")
    with pytest.raises(DataError, match="stands for the same image as"):
        read("icdar2015", many, "train")


def test_folders_are_found_in_upper_or_lower_case(tmp_path):
    image(tmp_path / "images/train/img1.JPG")
    mat(tmp_path / "GroundTruth/polygon/train/poly_gt_img1.mat", [mat_row(SQUARE, "a", "h")])
    assert len(one("total_text", tmp_path)) == 1


def test_every_set_has_a_name_and_its_errors_are_one_line(tmp_path):
    assert set(TEXT_SETS) == {"total_text", "ctw1500", "icdar2015", "msra_td500", "synthtext"}
    for name in TEXT_SETS:
        with pytest.raises(DataError, match="is expected") as caught:
            read(name, tmp_path, "train")
        assert "\n" not in str(caught.value)
