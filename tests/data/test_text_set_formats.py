"""Annotated text in four published formats, each whole and broken."""

import numpy as np
import pytest
import scipy.io
from annotated_samples import HEIGHT, OCTAGON, SQUARE, WIDTH, facts, flat, image, mat, mat_row, one, points, write

from paribus.data.text_sets import read
from paribus.errors import DataError

ABOUT = ("3 points", "meets itself", "no quoted text", "8 fields", "difficult is")
"""Of what is broken in these ways one knows about where the text is."""


def check_left_out(found, told, box):
    """Assert that of what is broken there is left one do-not-care, with *box*, or nothing."""
    broken = [instance for instance in found if instance.broken]
    assert len(broken) == any(words in told for words in ABOUT)
    for instance in broken:
        assert instance.ignore
        assert instance.polygon.shape == (4, 2)
        assert (*instance.polygon.min(0), *instance.polygon.max(0)) == pytest.approx(box)
    return facts(instance for instance in found if not instance.broken)


# Total-Text


@pytest.fixture
def total_text(tmp_path):
    image(tmp_path / "Images/Train/img11.jpg")

    def make(content, name="Groundtruth/Polygon/Train/poly_gt_img11"):
        if isinstance(content, str):
            write(tmp_path / f"{name}.txt", content)
        else:
            mat(tmp_path / f"{name}.mat", content)
        return tmp_path

    return make


def test_total_text_mat(total_text):
    rows = [
        mat_row(OCTAGON, "PETROSAINS", "c"),
        mat_row(SQUARE, "#", "#"),
        mat_row([(5, 5)], "#", "#"),
        mat_row(SQUARE, "", ""),
    ]
    found = one("total_text", total_text(rows))
    assert facts(found) == [
        (points(OCTAGON), "PETROSAINS", False),
        (points(SQUARE), "#", True),  # the single point of a do-not-care marks nothing
        (points(SQUARE), "", False),
    ]
    assert [instance.orientation for instance in found] == ["c", "#", ""]
    assert not found[0].polygon.flags.writeable
    assert found[0].polygon.dtype == np.float64


def test_total_text_table_of_another_name_and_of_no_rows(total_text, tmp_path):
    root = total_text([mat_row(SQUARE, "a", "h")])
    place = root / "Groundtruth/Polygon/Train/poly_gt_img11.mat"
    mat(place, [mat_row(SQUARE, "b", "h")], name="gt")
    assert facts(one("total_text", root)) == [(points(SQUARE), "b", False)]
    scipy.io.savemat(place, {"polygt": np.empty((0, 0), object)})
    assert one("total_text", root) == ()
    scipy.io.savemat(place, {"rectgt": np.eye(2)})
    with pytest.raises(DataError, match=r"poly_gt_img11.mat: no variable polygt or gt; it has rectgt"):
        one("total_text", root)
    scipy.io.savemat(place, {"polygt": np.eye(2)})
    with pytest.raises(DataError, match=r"a table of 2x2; a row of 6 cells"):
        one("total_text", root)


def test_total_text_txt_with_records_over_several_lines(total_text):
    content = (
        "x: [[10 30 30 10]], y: [[10 10 20 20]], ornt: [u'h'], transcriptions: [u'it\\'s, [a] caf\\xe9']\n"
        "x: [[10 20 30\n  40 50 40 30 20]], y: [[20 12 10 12 20\n 18 16 18]], "
        "ornt: [u'c'], transcriptions: [u\"Joe's\"]\n"
        "\n"
        "x: [[10 30 30 10]], y: [[10 10 20 20]], ornt: [u'#'], transcriptions: [u'#']\n"
        "x: [[ 10  30  30  10]], y: [[10 10 20 20]], ornt: [], transcriptions: []"
    )
    found = one("total_text", total_text(content))
    assert facts(found) == [
        (points(SQUARE), "it's, [a] café", False),
        (points(OCTAGON), "Joe's", False),
        (points(SQUARE), "#", True),
        (points(SQUARE), "", False),
    ]
    assert [instance.orientation for instance in found] == ["h", "c", "#", ""]


GOOD = "x: [[10 30 30 10]], y: [[10 10 20 20]], ornt: [u'h'], transcriptions: [u'ok']\n"


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("x: [[10 30 30]], y: [[10 10 20]], ornt: [u'h'], transcriptions: [u'a']", "a polygon of 3 points; at least 4"),
        ("x: [[10 30 30 10]], y: [[10 10 20]], ornt: [u'h'], transcriptions: [u'a']", "4 numbers for x and 3 for y"),
        ("x: [[10 x 30 10]], y: [[10 10 20 20]], ornt: [u'h'], transcriptions: [u'a']", "'x' is not a number"),
        ("x: [[]], y: [[]], ornt: [u'h'], transcriptions: [u'a']", "'' is not a number"),
        ("x: [[10 30 30 10]], y: [[10 20 10 20]], ornt: [u'h'], transcriptions: [u'a']", "meets itself at 20, 15"),
        ("x: [[10 30 50 70]], y: [[10 10 10 10]], ornt: [u'h'], transcriptions: [u'a']", "without area"),
        ("x: [[110 130 130 110]], y: [[1 1 2 2]], ornt: [u'h'], transcriptions: [u'a']", "wholly outside .* 100x60"),
        ("x: [[10 30 30 10]], y: [[10 10 20 20]], ornt: [u'h']", "is no record; x: "),
        ("x: [[10 30 30 10]], y: [[10 10 20 20]], ornt: [u'h'], transcriptions: [a]", "is no quoted text"),
    ],
)
def test_total_text_broken_record(total_text, record, told):
    root = total_text(f"{GOOD}{record}\n{GOOD}")
    with pytest.raises(DataError, match=rf"poly_gt_img11\.txt: line 2: .*{told}") as caught:
        one("total_text", root)
    assert "\n" not in str(caught.value)
    images = read("total_text", root, "train", skip_broken=True)
    assert images.problems == ()
    good = check_left_out(images[0].instances, told, (10, 10, 30, 20))
    assert good == [(points(SQUARE), "ok", False)] * 2
    assert images.problems == (str(caught.value),)
    assert len(images[0].instances) >= 2
    assert len(images.problems) == 1  # said once


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (mat_row(SQUARE[:3], "a", "h"), "a polygon of 3 points"),
        (mat_row(SQUARE, "a", "h", drop_y=1), "4 numbers for x and 3 for y"),
        (["x:", np.array(["ten"]), "y:", np.array([[1]]), "a", "h"], "coordinates that are not numbers"),
        (["x:", np.array([[1, np.nan, 3, 4]]), "y:", np.array([[1, 1, 3, 3]]), "a", "h"], "not finite"),
        (mat_row([(0, 0), (9, 9), (9, 0), (0, 9)], "a", "h"), r"meets itself at 4.5, 4.5"),
    ],
)
def test_total_text_broken_row(total_text, row, told):
    root = total_text([mat_row(SQUARE, "ok", "h"), row])
    with pytest.raises(DataError, match=rf"poly_gt_img11\.mat: row 2: .*{told}"):
        one("total_text", root)
    box = (0, 0, 9, 9) if "meets" in told else (10, 10, 30, 20)
    assert len(check_left_out(one("total_text", root, skip_broken=True), told, box)) == 1


# CTW1500


def ctw_xml(*boxes):
    inner = "".join(
        f'<box height="9" left="1" top="1" width="9"><label>{label}</label><segs>{segs}</segs><pts x="1" y="2"/></box>'
        for label, segs in boxes
    )
    return f'<Annotations><image file="0001.jpg">{inner}</image></Annotations>'


def test_ctw1500_xml(tmp_path):
    image(tmp_path / "train_images/0001.jpg")
    content = ctw_xml(("OLATHE &amp; Ko", flat(OCTAGON)), ("###", flat(SQUARE)), ("", flat([*SQUARE, SQUARE[0]])))
    write(tmp_path / "ctw1500_train_labels/0001.xml", content)
    assert facts(one("ctw1500", tmp_path)) == [
        (points(OCTAGON), "OLATHE & Ko", False),
        (points(SQUARE), "###", True),
        (points(SQUARE), "", False),  # closed in the file
    ]


def test_ctw1500_points_and_text_of_the_test_part(tmp_path):
    image(tmp_path / "test_images/1001.jpg")
    write(tmp_path / "gt_ctw1500/0001001.txt", f"{flat(OCTAGON)},####one, two\r\n{flat(SQUARE)},#######\r\n")
    assert facts(one("ctw1500", tmp_path, "test")) == [
        (points(OCTAGON), "one, two", False),
        (points(SQUARE), "###", True),
    ]


def test_ctw1500_offsets_of_the_oldest_form(tmp_path):
    image(tmp_path / "train/text_image/0001.jpg")
    upper, lower = [(5 * k, abs(k - 3)) for k in range(7)], [(5 * k, 10 + abs(k - 3)) for k in range(6, -1, -1)]
    line = flat([(20, 30), (50, 43), *upper, *lower])
    write(tmp_path / "train/text_label_curve/0001.txt", f"{line}\n")
    ((polygon, text, ignore),) = facts(one("ctw1500", tmp_path))
    assert polygon == points([(20 + x, 30 + y) for x, y in (*upper, *lower)])
    assert (text, ignore) == ("", False)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (flat([(1, 1)] * 15) + ",7", "31 numbers; 32 are expected"),
        (flat(SQUARE) + ",5,####a", "9 numbers, which is odd"),
        (flat(SQUARE[:3]) + ",####a", "a polygon of 3 points"),
        (flat(SQUARE[:3]) + ",1,one,####a", "'one' is not a number"),
    ],
)
def test_ctw1500_broken_line(tmp_path, line, told):
    image(tmp_path / "test_images/1001.jpg")
    write(tmp_path / "gt_ctw1500/0001001.txt", f"{flat(SQUARE)},####ok\n{line}\n")
    with pytest.raises(DataError, match=rf"0001001\.txt: line 2: {told}"):
        one("ctw1500", tmp_path, "test")
    ((_, text, _),) = check_left_out(one("ctw1500", tmp_path, "test", skip_broken=True), told, (10, 10, 30, 20))
    assert text == "ok"


def test_ctw1500_broken_xml(tmp_path):
    image(tmp_path / "train_images/0001.jpg")
    place = write(tmp_path / "ctw1500_train_labels/0001.xml", ctw_xml(("a", flat(SQUARE)), ("b", "1,2,3")))
    with pytest.raises(DataError, match=r"0001\.xml: box 2: 3 numbers, which is odd"):
        one("ctw1500", tmp_path)
    write(place, "<image><box><label>a</label></box></image>")
    with pytest.raises(DataError, match=r"0001\.xml: box 1: no <segs>"):
        one("ctw1500", tmp_path)
    write(place, "<image><box>")
    with pytest.raises(DataError, match=r"0001\.xml: not XML"):
        one("ctw1500", tmp_path)
    write(place, "<image>café</image>", encoding="latin-1")
    with pytest.raises(DataError, match=r"0001\.xml: not XML"):
        one("ctw1500", tmp_path)


# ICDAR 2015


@pytest.fixture
def icdar(tmp_path):
    image(tmp_path / "ch4_training_images/img_1.jpg")

    def make(content, encoding="utf-8-sig"):
        write(tmp_path / "ch4_training_localization_transcription_gt/gt_img_1.txt", content, encoding)
        return tmp_path

    return make


def test_icdar2015(icdar):
    root = icdar(
        f"{flat(SQUARE)},Joint, ventures, 1,5\r\n{flat(SQUARE)},###\r\n{flat(SQUARE)},パリ\r\n{flat(SQUARE)},\r\n"
    )
    assert facts(one("icdar2015", root)) == [
        (points(SQUARE), "Joint, ventures, 1,5", False),
        (points(SQUARE), "###", True),
        (points(SQUARE), "パリ", False),
        (points(SQUARE), "", False),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1,2,3,4,5,6,7", "7 fields; 9 are expected"),
        (flat(SQUARE), "8 fields; 9 are expected"),
        ("1,2,3,4,5,6,x7,8,a", "'x7' is not a number"),
        ("1,2,3,4,5,6,inf,8,a", "'inf' is not a number"),
        ("1e308,2,3,4,5,6,7,8,a", r"a coordinate of 1e\+308; pixels, at most 1e\+09"),
        ("1,2,3,4,5,6,1_0,8,a", "'1_0' is not a number"),
        (flat([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]]) + ",a", "meets itself at 20, 15"),
        (flat([(x - 200, y) for x, y in SQUARE]) + ",a", "the box -190, 10, -170, 20 lies wholly outside"),
    ],
)
def test_icdar2015_broken_line(icdar, line, told):
    root = icdar(f"{flat(SQUARE)},ok\n\n{line}\n")
    with pytest.raises(DataError, match=rf"gt_img_1\.txt: line 3: .*{told}"):
        one("icdar2015", root)
    ((_, text, _),) = check_left_out(one("icdar2015", root, skip_broken=True), told, (10, 10, 30, 20))
    assert text == "ok"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_wrong_encoding(icdar, encoding):
    root = icdar(f"{flat(SQUARE)},ok\n{flat(SQUARE)},café\n", encoding)
    line = {"latin-1": 2, "utf-16": 1}[encoding]
    with pytest.raises(DataError, match=rf"gt_img_1\.txt: line {line}: the byte 0x.. is not UTF-8"):
        one("icdar2015", root)
    images = read("icdar2015", root, "train", skip_broken=True)
    whole = [[0.0, 0.0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]]  # nothing is known of it
    assert facts(images[0].instances) == [(whole, "", True)]
    assert len(images.problems) == 1


def test_partly_outside_is_kept_as_it_is(icdar):
    beyond = [(-5, -5), (200, -5), (200, 20), (-5, 20)]
    assert facts(one("icdar2015", icdar(f"{flat(beyond)},wide"))) == [(points(beyond), "wide", False)]


# MSRA-TD500


def test_msra_td500(tmp_path):
    image(tmp_path / "train/IMG_0030.JPG")
    write(tmp_path / "train/IMG_0030.gt", f"0 0 20 15 40 10 0.0\n1 1 20 15 40 10 {np.pi / 2}\n2 0 20 15 40 10 0.5\n")
    level, upright, tilted = one("msra_td500", tmp_path)
    assert (level.ignore, upright.ignore, level.text) == (False, True, "")
    assert level.polygon == pytest.approx(np.array([(20, 15), (60, 15), (60, 25), (20, 25)]))
    assert upright.polygon == pytest.approx(np.array([(45, 0), (45, 40), (35, 40), (35, 0)]))
    first, second = tilted.polygon[:2]
    assert np.arctan2(*(second - first)[::-1]) == pytest.approx(0.5)  # y grows downwards: clockwise as seen
    assert tilted.polygon.mean(0) == pytest.approx((40, 20))
    assert np.hypot(*(second - first)) == pytest.approx(40)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 0 20 15 40 10", "6 fields; 7 are expected: index difficult"),
        ("0 2 20 15 40 10 0", "difficult is '2'; 0 or 1"),
        ("0 0 20 15 0 10 0", "width 0 and height 10"),
        ("0 0 20 15 40 10 90", "theta is 90; radians"),
        ("0 0 20 15 40 ten 0", "'ten' is not a number"),
    ],
)
def test_msra_td500_broken_line(tmp_path, line, told):
    image(tmp_path / "test/IMG_0030.JPG")
    write(tmp_path / "test/IMG_0030.gt", line)
    with pytest.raises(DataError, match=rf"IMG_0030\.gt: line 1: .*{told}"):
        one("msra_td500", tmp_path, "test")
    assert check_left_out(one("msra_td500", tmp_path, "test", skip_broken=True), told, (20, 15, 60, 25)) == []


def test_what_is_broken_far_out_or_on_a_line_is_gone(icdar):
    far = [(x + 500, y) for x, y in (SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3])]
    root = icdar(f"{flat(far)},crossing\n{flat([(0, 0), (5, 5), (9, 9), (2, 2)])}\n{flat(SQUARE)},ok\n")
    assert [text for _, text, _ in facts(one("icdar2015", root, skip_broken=True))] == ["ok"]


@pytest.mark.parametrize("protocol", ["deteval", "ctw1500", "icdar2015", "msra_td500"])
def test_who_finds_what_is_broken_is_not_blamed(icdar, protocol):
    from paribus.labs.textsnake.evaluation import evaluate

    scrambled = [SQUARE[place] for place in (0, 2, 1, 3)]
    other = [(x + 50, y + 20) for x, y in SQUARE]
    root = icdar(f"{flat(other)},ok\n{flat(scrambled)},crossing\n")
    finds = [[np.array(SQUARE, float), np.array(other, float)]]
    scores = evaluate([one("icdar2015", root, skip_broken=True)], finds, protocol)
    assert (scores.f, scores.dropped) == (1, 1)
    icdar("no annotation\n".encode("utf-16").decode("latin-1"), "latin-1")
    scores = evaluate([one("icdar2015", root, skip_broken=True)], finds, protocol)
    assert (scores.f, scores.dropped) == (1, 2), "of the whole image nothing is known"
