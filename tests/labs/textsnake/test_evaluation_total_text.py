"""Total-Text's own five examples: the recall and precision of each pair that it publishes, and the matches."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from paribus.data.text_sets import read
from paribus.labs.textsnake.evaluation import GroundTruth, evaluate, overlaps

ROOT = Path(__file__).parents[3]
PLACES = [place / "shared/data/totaltext_eval_example" for place in (ROOT, ROOT.parent)]
FOLDER = next((place for place in PLACES if place.is_dir()), PLACES[0])
pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is absent"),
]
TOLERANCE = 0.005


@pytest.fixture(scope="module")
def truths():
    images = []
    for number in range(1, 6):
        table = scipy.io.loadmat(FOLDER / f"Groundtruth_poly_gt_img{number}.mat")["polygt"]
        images.append(
            [GroundTruth(np.stack([row[1].ravel(), row[3].ravel()], 1), ignore=row[5].item() == "#") for row in table]
        )
    return images


@pytest.fixture(scope="module")
def predictions():
    tables = [scipy.io.loadmat(FOLDER / f"Prediction_img{number}.mat")["accuInf"] for number in range(1, 6)]
    return [[row[0] for row in table] for table in tables]


@pytest.fixture(scope="module")
def published():
    """Each pair that overlaps, by ground truth and then prediction: (image, precision, recall)."""
    lines = [line.split() for line in (FOLDER / "Result.txt").read_text().splitlines() if line.strip()]
    return [(int(name.removeprefix("poly_gt_img").removesuffix(".mat")), float(p), float(r)) for name, p, r in lines]


def test_each_pair(truths, predictions, published):
    pairs = []
    for number, (texts, found) in enumerate(zip(truths, predictions, strict=True), 1):
        tables = overlaps([text.polygon for text in texts], found)
        places = zip(*tables.recall.nonzero(), strict=True)
        pairs += [(number, tables.precision[place], tables.recall[place]) for place in places]
    assert [pair[0] for pair in pairs] == [pair[0] for pair in published]
    assert np.array(pairs) == pytest.approx(np.array(published), abs=TOLERANCE)


def test_one_to_one_matches_are_those_of_the_published_table(truths, predictions, published):
    """The published table alone says which pairs pass both thresholds; in these examples they are one-to-one."""
    texts = [[GroundTruth(text.polygon) for text in image] for image in truths]  # its MATLAB program keeps '#'
    for tr, tp in ((0.8, 0.4), (0.7, 0.6)):
        expected = [(n, p, r) for n, p, r in published if r > tr and p > tp]
        scores = evaluate(texts, predictions, tr=tr, tp=tp)
        mine = []
        for number, image in enumerate(scores.images, 1):
            tables = overlaps([text.polygon for text in texts[number - 1]], predictions[number - 1])
            for match in (match for match in image.matches if match.kind == "one-to-one"):
                place = match.ground_truths[0], match.predictions[0]
                mine.append((number, tables.precision[place], tables.recall[place]))
        assert len(mine) == len(expected)
        assert np.array(mine) == pytest.approx(np.array(expected), abs=TOLERANCE)


def test_scores_at_both_thresholds_with_and_without_do_not_care(truths, predictions):
    """In the second image seven words lie within one prediction, two of them '#': together they fill 0.51 of it."""
    kept = [[GroundTruth(text.polygon) for text in image] for image in truths]
    scores = evaluate(kept, predictions, tr=0.8, tp=0.4)
    assert (scores.ground_truths, scores.predictions) == (27, 12)
    assert scores.recall == pytest.approx((4 + 7 * 0.8) / 27)
    assert scores.precision == pytest.approx((4 + 0.8) / 12)
    merges = [match for image in scores.images for match in image.matches if match.kind == "merge"]
    assert [(match.ground_truths, match.predictions) for match in merges] == [((2, 3, 4, 5, 6, 7, 8), (1,))]
    scores = evaluate(truths, predictions, tr=0.8, tp=0.4)
    assert (scores.ground_truths, scores.ignored, scores.predictions, scores.dropped) == (24, 3, 12, 0)
    assert scores.recall == pytest.approx(4 / 24)
    assert scores.precision == pytest.approx(4 / 12)
    assert evaluate(truths, predictions, tr=0.7, tp=0.6).f == 0


def test_annotations_as_the_loader_reads_them_score_alike(truths, predictions, tmp_path):
    for number in range(1, 6):
        place = tmp_path / f"Groundtruth/Polygon/Test/poly_gt_img{number}.mat"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(FOLDER / f"Groundtruth_poly_gt_img{number}.mat")
        (tmp_path / "Images/Test").mkdir(parents=True, exist_ok=True)
        Image.new("1", (3000, 3000)).save(tmp_path / f"Images/Test/img{number}.png")
    images = read("total_text", tmp_path, "test")
    texts = [image.instances for image in images]
    loaded, by_hand = (evaluate(source, predictions, tr=0.8, tp=0.4) for source in (texts, truths))
    assert str(loaded) == str(by_hand)
    curved = evaluate(texts, predictions, tr=0.8, tp=0.4, only=lambda text: text.orientation == "c")
    assert curved.ground_truths == sum(text.orientation == "c" for each in texts for text in each) == 9
