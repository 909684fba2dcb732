"""Scores of detections: closed forms on squares, each protocol's rules, and what must hold for any input."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.evaluation import PROTOCOLS, GroundTruth, Prediction, evaluate, overlaps
from paribus.labs.textsnake.evaluation.one_to_one import levelled_iou, smallest_rectangle


def box(x, y, width=10.0, height=10.0):
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], float)


def turned(polygon, angle):
    c, s = np.cos(angle), np.sin(angle)
    centre = polygon.mean(0)
    return (polygon - centre) @ np.array([[c, s], [-s, c]]) + centre


def kinds(scores):
    return [(m.kind, m.ground_truths, m.predictions) for image in scores.images for m in image.matches]


def test_tables_of_two_squares():
    tables = overlaps([box(0, 0), box(50, 50)], [box(5, 0, 20, 10)])
    assert tables.recall == pytest.approx(np.array([[0.5], [0.0]]))
    assert tables.precision == pytest.approx(np.array([[0.25], [0.0]]))
    assert tables.iou == pytest.approx(np.array([[50 / 250], [0.0]]))


def test_tables_of_curved_polygons_are_those_of_a_fine_raster():
    rng = np.random.default_rng(3)
    angles = np.sort(rng.uniform(0, 2 * np.pi, (2, 12)))
    radii = rng.uniform(20, 40, (2, 12))
    shapes = [
        np.stack([50 + 6 * k + r * np.cos(a), 50 + r * np.sin(a)], 1)
        for k, (a, r) in enumerate(zip(angles, radii, strict=True))
    ]
    y, x = (np.mgrid[0:1000, 0:1000] + 0.5) / 10
    first, second = (inside(shape, x, y) for shape in shapes)
    tables = overlaps(shapes[:1], shapes[1:])
    assert tables.recall[0, 0] == pytest.approx((first & second).sum() / first.sum(), abs=0.005)
    assert tables.precision[0, 0] == pytest.approx((first & second).sum() / second.sum(), abs=0.005)
    assert tables.iou[0, 0] == pytest.approx((first & second).sum() / (first | second).sum(), abs=0.005)


def inside(polygon, x, y):
    """Even-odd rule, edge by edge."""
    odd = np.zeros(x.shape, bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        crosses = (y1 > y) != (y2 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            odd ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return odd


@pytest.mark.parametrize(("tr", "tp", "found"), [(0.7, 0.6, 0), (0.8, 0.4, 1)])
def test_deteval_depends_on_its_thresholds_and_says_them(tr, tp, found):
    scores = evaluate([[box(0, 0)]], [[box(0, 0, 10, 20)]], tr=tr, tp=tp)  # recall 1, precision 0.5
    assert scores.recall == scores.precision == scores.f == found
    assert f"deteval at tr {tr:g}, tp {tp:g}" in str(scores)
    assert scores.thresholds["tr"] == tr
    assert scores.thresholds["tp"] == tp


def test_deteval_split():
    halves = [box(0, 0, 5), box(5, 0, 5)]
    scores = evaluate([[box(0, 0), box(100, 0)]], [[*halves, box(200, 0)]])
    assert kinds(scores) == [("split", (0,), (0, 1))]
    assert scores.recall == pytest.approx(0.8 / 2)
    assert scores.precision == pytest.approx(2 * 0.8 / 3)
    assert evaluate([[box(0, 0)]], [halves], penalty=1.0).f == 1
    assert kinds(evaluate([[box(0, 0)]], [[box(0, 0), box(4, 4, 2, 2)]])) == [("split", (0,), (0, 1))]
    assert evaluate([[box(0, 0)]], [[box(0, 0, 3), box(5, 0, 3)]]).f == 0  # 0.6 covered is too little
    assert evaluate([[box(0, 0)]], [[box(0, 0, 3), box(5, 0, 3.95)]]).f == 0
    assert evaluate([[box(0, 0)]], [[box(0, 0, 3), box(5, 0, 4)]]).recall == pytest.approx(0.8)  # 0.7 is enough
    assert evaluate([[box(0, 0)]], [[box(0, 0, 3), box(5, 0, 3)]], tr=0.6).recall == pytest.approx(0.8)


def test_deteval_merge():
    words = [box(0, 0), box(12, 0), box(24, 0)]
    scores = evaluate([[*words, box(100, 0)]], [[box(0, 0, 34, 10)]])
    assert kinds(scores) == [("merge", (0, 1, 2), (0,))]
    assert scores.recall == pytest.approx(3 * 0.8 / 4)
    assert scores.precision == pytest.approx(0.8)
    assert evaluate([words], [[box(0, 0, 34, 20)]]).f == 0  # under half of it lies on text
    assert evaluate([words], [[box(0, 0, 34, 20)]], tr=0.8, tp=0.4).recall == pytest.approx(0.8)


def test_deteval_falls_back_to_one_to_one_where_one_part_does_it_all():
    sliver = box(9, 0, 1, 100)  # overlaps, and lies mostly elsewhere
    whole = box(0, 0, 10, 40)  # covers it, and lies mostly elsewhere
    scores = evaluate([[box(0, 0)]], [[sliver, whole, box(0, 0)]])
    assert kinds(scores) == [("one-to-one", (0,), (2,))]
    assert scores.precision == pytest.approx(1 / 3)
    merge = evaluate([[box(0, 0), box(10, 0, 10, 3)]], [[box(0, 0, 13, 10)]], tr=0.9)
    assert kinds(merge) == [("one-to-one", (0,), (0,))]


def test_deteval_needs_one_prediction_that_both_covers_and_lies_within():
    covers, within = box(-10, -10, 30, 30), box(0, 0, 10, 4)
    scores = evaluate([[box(0, 0)]], [[covers, within]])
    assert kinds(scores) == []
    assert scores.f == 0


def test_deteval_never_counts_a_prediction_as_one_to_one_twice():
    words = [box(0, 0), box(11, 0)]  # each fills 0.48 of what follows, which is more than tp
    scores = evaluate([words], [[box(0, 0, 21, 10)]], tr=0.8, tp=0.4)
    assert kinds(scores) == [("merge", (0, 1), (0,))]
    assert scores.recall == scores.precision == pytest.approx(0.8)


def test_duplicates_are_a_split_for_deteval_and_wrong_elsewhere():
    twice = [[box(0, 0), box(0, 0)]]
    assert evaluate([[box(0, 0)]], twice).precision == pytest.approx(0.8)
    for protocol in ("ctw1500", "icdar2015", "msra_td500"):
        scores = evaluate([[box(0, 0)]], twice, protocol)
        assert (scores.recall, scores.precision) == (1, 0.5)


@pytest.mark.parametrize("protocol", ["ctw1500", "icdar2015"])
def test_iou_must_exceed_a_half(protocol):
    assert evaluate([[box(0, 0)]], [[box(0, 0, 20)]], protocol).f == 0  # exactly a half
    assert evaluate([[box(0, 0)]], [[box(0, 0, 19)]], protocol).f == 1
    assert "iou 0.5" in str(evaluate([[box(0, 0)]], [[box(0, 0)]], protocol))


def test_matching_finds_the_most_pairs():
    truths = [box(0, 0), box(3, 0)]
    predictions = [box(2, 0), box(-3, 0)]  # the first suits both, the second only the first ground truth
    scores = evaluate([truths], [predictions], "icdar2015")
    assert kinds(scores) == [("one-to-one", (0,), (1,)), ("one-to-one", (1,), (0,))]


@given(st.integers(0, 10_000))
def test_pairs_are_as_many_as_a_greedy_loop_finds_where_texts_do_not_overlap(seed):
    rng = np.random.default_rng(seed)
    truths = [box(30 * x, 30 * y, 20, 20) for x in range(3) for y in range(3)]
    predictions = [truth + rng.normal(0, 4, (1, 2)) for truth in truths * 2]
    taken = set()
    for truth in truths:
        for column, prediction in enumerate(predictions):
            low, high = np.maximum(truth[0], prediction[0]), np.minimum(truth[2], prediction[2])
            shared = np.clip(high - low, 0, None).prod()
            if column not in taken and shared / (800 - shared) > 0.5:
                taken.add(column)
                break
    for protocol in ("ctw1500", "icdar2015"):
        assert evaluate([truths], [predictions], protocol).recall_credit == len(taken)


@pytest.mark.parametrize("protocol", ["deteval", "ctw1500", "icdar2015"])
def test_predictions_that_lie_on_do_not_care_are_dropped(protocol):
    truths = [GroundTruth(box(0, 0)), GroundTruth(box(100, 0, 40, 10), ignore=True, text="#")]
    on, half = box(95, 0, 15, 10), box(90, 0, 20, 10)  # 2/3 on it; exactly a half, which is not more than a half
    scores = evaluate([truths], [[on, box(0, 0)]], protocol)
    assert scores.f == 1
    assert scores.images[0].dropped == (0,)
    assert scores.images[0].ignored == (1,)
    assert (scores.ground_truths, scores.ignored, scores.predictions, scores.dropped) == (1, 1, 1, 1)
    assert kinds(scores) == [("one-to-one", (0,), (1,))]
    assert evaluate([truths], [[half, box(0, 0)]], protocol).precision == 0.5
    assert evaluate([truths], [[half, box(0, 0)]], protocol, care=0.4).precision == 1


def test_difficult_text_of_msra_td500():
    truths = [GroundTruth(box(0, 0, 40, 10)), GroundTruth(box(0, 30, 40, 10), ignore=True)]
    scores = evaluate([truths], [[box(1, 30, 40, 10)]], "msra_td500")
    assert (scores.recall, scores.predictions, scores.dropped) == (0, 0, 1)
    small = evaluate([truths], [[box(0, 30, 10, 10)]], "msra_td500")  # within it, but not a match
    assert (small.predictions, small.precision) == (1, 0)
    stacked = [GroundTruth(box(0, 0, 40, 10)), GroundTruth(box(0, 1, 40, 10), ignore=True)]
    assert evaluate([stacked], [[box(0, 0, 40, 10)]], "msra_td500").f == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_found_on_a_broken_annotation_counts_neither_way(protocol):
    image = GroundTruth(box(0, 0, 500, 500), broken=True)
    scores = evaluate([[image]], [[box(10, 10), box(495, 0, 9, 9), box(495, 30, 12, 9)]], protocol)
    assert (scores.ignored, scores.dropped, scores.predictions) == (1, 2, 1)
    text = GroundTruth(box(600, 0, 60, 10))
    assert evaluate([[image, text]], [[box(10, 10), box(600, 0, 60, 10)]], protocol).f == 1


# a quarter turn is no difference of direction, but 60 x 10 upright and level share 100 of 1,100
TURNS = [(0, 1), (22, 1), (-22, 1), (23, 0), (45, 0), (90, 1 / 11), (158, 1), (180, 1)]


@pytest.mark.parametrize(("degrees", "iou"), TURNS)
def test_levelled_boxes_agree_within_an_eighth_of_pi(degrees, iou):
    line = box(0, 0, 60, 10)
    assert levelled_iou([line], [turned(line, np.radians(degrees))])[0, 0] == pytest.approx(iou)
    tilted = turned(line, 1.0)
    assert levelled_iou([tilted], [turned(tilted, np.radians(degrees))])[0, 0] == pytest.approx(iou)


def test_levelled_boxes_are_compared_about_their_own_centres():
    line, shifted = turned(box(0, 0, 60, 10), 0.3), turned(box(3, 2, 50, 10), 0.5)
    dx, dy = shifted.mean(0) - line.mean(0)
    shared = (min(30, dx + 25) - max(-30, dx - 25)) * (min(5, dy + 5) - max(-5, dy - 5))
    assert levelled_iou([line], [shifted])[0, 0] == pytest.approx(shared / (600 + 500 - shared))
    nearly_square = levelled_iou([box(0, 0, 20, 19)], [box(0, 0, 19, 20)])[0, 0]
    assert nearly_square == pytest.approx(19 * 19 / (2 * 380 - 361))


@given(st.integers(0, 10_000))
def test_smallest_rectangle_is_no_larger_than_any_of_180_directions(seed):
    points = np.random.default_rng(seed).normal(size=(9, 2)) * (30, 8)
    x, y, width, height, angle = smallest_rectangle(points)
    spans = []
    for turn in np.linspace(0, np.pi, 181):
        c, s = np.cos(turn), np.sin(turn)
        spans.append(np.ptp(points @ (c, s)) * np.ptp(points @ (-s, c)))
    assert width >= height
    assert width * height <= min(spans) * (1 + 1e-9)
    assert width * height >= min(spans) * 0.9
    c, s = np.cos(angle), np.sin(angle)
    local = (points - (x, y)) @ np.array([[c, -s], [s, c]])
    assert np.abs(local).max(0) == pytest.approx((width / 2, height / 2))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_images_without_text_or_predictions(protocol):
    nothing = evaluate([[]], [[]], protocol)
    assert (nothing.recall, nothing.precision, nothing.f) == (1, 1, 1)
    missed = evaluate([[box(0, 0)]], [[]], protocol)
    assert (missed.recall, missed.precision, missed.f) == (0, 0, 0)
    invented = evaluate([[]], [[box(0, 0)]], protocol)
    assert (invented.recall, invented.precision, invented.f) == (1, 0, 0)
    mixed = evaluate([[], [box(0, 0)], [box(0, 0)]], [[box(0, 0)], [], [box(0, 0)]], protocol)
    assert (mixed.recall, mixed.precision, mixed.f) == (0.5, 0.5, 0.5)  # over all images, not their mean
    assert [image.f for image in mixed.images] == [0, 0, 1]
    assert evaluate([], [], protocol).f == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_outlines_that_cross_themselves_or_enclose_nothing(protocol):
    line = box(0, 0, 10, 10)[:2].repeat(2, 0)
    scores = evaluate([[box(0, 0)]], [[box(0, 0), line, np.zeros((0, 2)), np.ones((1, 2))]], protocol)
    assert (scores.recall, scores.precision) == (1, 0.25)
    assert kinds(scores) == [("one-to-one", (0,), (0,))]


def test_what_an_outline_that_crosses_itself_encloses():
    bow_tie = np.array([(0, 0), (10, 10), (10, 0), (0, 10)], float)
    tables = overlaps([box(0, 0)], [bow_tie])
    assert tables.recall[0, 0] == pytest.approx(0.5)
    assert tables.precision[0, 0] == pytest.approx(1)
    ribbon = np.array([(0, 0), (4, 0), (4, 4), (2, 4), (2, 1), (6, 1), (6, 2), (0, 2)], float)  # over its own tail
    assert overlaps([box(0, 0, 6, 4)], [ribbon]).recall[0, 0] == pytest.approx(14 / 24)


def test_only_scores_a_part_of_the_texts():
    texts = [GroundTruth(box(0, 0), text="curved"), GroundTruth(box(50, 0), text="straight")]
    predictions = [[Prediction(box(0, 0), 0.9), Prediction(box(50, 0, 10, 8)), Prediction(box(200, 0))]]
    scores = evaluate([texts], predictions, only=lambda text: text.text == "curved")
    assert (scores.recall, scores.precision, scores.ignored, scores.dropped) == (1, 0.5, 1, 1)
    assert evaluate([texts], predictions).precision == pytest.approx(2 / 3)


def test_errors_name_the_place():
    with pytest.raises(DataError, match="2 images and predictions of 1"):
        evaluate([[], []], [[]])
    with pytest.raises(DataError, match=r"image 1, prediction 0.*\(N, 2\)"):
        evaluate([[], []], [[], [np.zeros((2, 4, 2))]])
    with pytest.raises(DataError, match=r"image 0, ground truth 1.*not finite"):
        evaluate([[box(0, 0), box(0, 0) * np.nan]], [[]])
    with pytest.raises(DataError, match=r"image 0, ground truth 0.*no area"):
        evaluate([[np.zeros((4, 2))]], [[]])
    assert evaluate([[GroundTruth(np.zeros((4, 2)), ignore=True)]], [[]]).f == 1
    for value in (1e10, 1e307):
        with pytest.raises(DataError, match=r"image 0, prediction 0: its polygon has a coordinate of .*pixels"):
            evaluate([[box(0, 0)]], [[box(0, 0) * value]])
    with pytest.raises(DataError, match="not numbers"):
        evaluate([[[("a", "b")]]], [[]])
    with pytest.raises(ConfigError, match="icdar2015"):
        evaluate([[]], [[]], "icdar2014")
    with pytest.raises(ConfigError, match="tr is 70"):
        evaluate([[]], [[]], tr=70)


corner = st.integers(0, 40)
side = st.integers(1, 25)
boxes = st.lists(st.builds(box, corner, corner, side, side), max_size=5)
protocols = st.sampled_from(PROTOCOLS)


@given(boxes, boxes, protocols, st.sampled_from([(0.7, 0.6), (0.8, 0.4)]))
def test_scores_lie_in_0_to_1_and_each_text_is_matched_once(truths, predictions, protocol, thresholds):
    scores = evaluate([truths], [predictions], protocol, *thresholds)
    for value in (scores.recall, scores.precision, scores.f):
        assert 0 <= value <= 1
    for side in ("ground_truths", "predictions"):
        places = [place for match in scores.images[0].matches for place in getattr(match, side)]
        assert len(places) == len(set(places))


@given(boxes, boxes, protocols, st.booleans(), st.data())
def test_the_order_of_predictions_does_not_matter(truths, predictions, protocol, ignore, data):
    texts = [GroundTruth(truth, ignore=ignore and index == 0) for index, truth in enumerate(truths)]
    order = data.draw(st.permutations(range(len(predictions))))
    before = evaluate([texts], [predictions], protocol)
    after = evaluate([texts], [[predictions[place] for place in order]], protocol)
    assert (before.recall, before.precision, before.f) == pytest.approx((after.recall, after.precision, after.f))


def test_the_order_in_which_merges_are_made_does_not_matter():
    words = [box(12 * place, 0) for place in range(4)]
    spans = [box(0, 0, 22, 10), box(12, 0, 34, 10)]  # the second word goes to whichever is merged first
    for order in permutations(spans):
        scores = evaluate([words], [list(order)])
        assert kinds(scores) == [("merge", (0, 1), (0 if order[0] is spans[0] else 1,))]
        assert scores.recall == pytest.approx(1.6 / 4)


spread = st.lists(st.builds(box, *[st.floats(0, 60)] * 2, *[st.floats(5, 50)] * 2), min_size=2, max_size=5)


@given(
    st.one_of(boxes, spread), st.one_of(boxes, spread), protocols, st.sampled_from([(0.7, 0.6), (0.4, 0.3)]), st.data()
)
def test_the_order_of_ground_truths_does_not_matter(truths, predictions, protocol, thresholds, data):
    order = data.draw(st.permutations(range(len(truths))))
    before = evaluate([truths], [predictions], protocol, *thresholds)
    after = evaluate([[truths[place] for place in order]], [predictions], protocol, *thresholds)
    assert (before.recall, before.precision, before.f) == pytest.approx((after.recall, after.precision, after.f))


def test_the_order_in_which_splits_are_made_does_not_matter():
    """Both ground truths could take the part in the middle: that which is covered more takes it."""
    words = [box(0, 0, 20, 10), box(8, 0, 22, 10)]
    parts = [box(0, 0, 8, 10), box(9, 0, 10, 10), box(20, 0, 10, 10)]
    for order in permutations(range(2)):
        scores = evaluate([[words[place] for place in order]], [parts], tr=0.5, tp=0.6)
        ((kind, (row,), columns),) = kinds(scores)
        assert (kind, order[row], columns) == ("split", 1, (1, 2))


@given(boxes, boxes, protocols)
def test_do_not_care_apart_from_everything_changes_nothing(truths, predictions, protocol):
    before = evaluate([truths], [predictions], protocol)
    after = evaluate([[*truths, GroundTruth(box(500, 500), ignore=True)]], [predictions], protocol)
    assert (before.recall, before.precision, before.f) == (after.recall, after.precision, after.f)


@given(st.lists(st.tuples(side, side), max_size=6), protocols)
def test_perfect_predictions_give_1(sizes, protocol):
    texts = [turned(box(40 * index, 0, *size), index) for index, size in enumerate(sizes)]
    scores = evaluate([texts], [texts], protocol)
    assert (scores.recall, scores.precision, scores.f) == (1, 1, 1)
