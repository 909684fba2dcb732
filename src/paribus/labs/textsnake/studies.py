"""The lab's questions."""

from __future__ import annotations

from paribus.spec.study import Study

MARGIN = 0.01
"""One point of F: about seven of the seven hundred texts of a hundred scenes."""
ORACLE = "textsnake/oracle/refined"
SHIPPED = "textsnake/shipped/refined/tcl_threshold=0.2"
SHORT = "textsnake/slim/short/refined/tcl_threshold=0.2"
"""At the paper's threshold of the centre line, 0.6, a small network's lines break; 0.2 was chosen on validation."""
WITHOUT = ("no_centralizing", "no_striding", "no_sliding")
RIVALS = ("contours", "rotated_boxes")
OF_LABELS = ("narrow_ends", "recentred", "quarter_cut", "pixel_line")
OF_DECODING = ("cross_sections", "pixel_strides", "straight_ends", "four_pixels")


def _representation(name: str, kind: str, maps: str, hypothesis: str, control: str) -> Study:
    return Study(
        name=f"textsnake.{name}",
        question=f"Do disks find {kind} text better than outlines of regions or rotated boxes, from {maps} maps?",
        hypothesis=hypothesis,
        control=control,
        arms=tuple(f"{control}/{rival}" for rival in RIVALS),
        metric=f"f_{kind}",
        margin=MARGIN,
    )


STUDIES = (
    _representation(
        "representation",
        "curved",
        "the same",
        "Boxes fail, for half of what they hold is background; outlines lose where neighbours touch.",
        SHIPPED,
    ),
    _representation(
        "representation_straight",
        "straight",
        "the same",
        "Boxes are as good as disks; outlines lose where neighbours touch.",
        SHIPPED,
    ),
    _representation(
        "representation_at_best",
        "curved",
        "perfect",
        "From true maps disks and outlines lose nothing and boxes fail: the rest is the network's part.",
        ORACLE,
    ),
    Study(
        name="textsnake.decoding",
        question="What does each act of the decoding contribute?",
        hypothesis="Without striding or sliding instances are lost or too thin; centralizing matters less.",
        control=SHIPPED,
        arms=tuple(f"{SHIPPED}/{act}" for act in WITHOUT),
        metric="f",
        margin=MARGIN,
    ),
    Study(
        name="textsnake.refinements",
        question="What is each of this lab's refinements of the paper's decoding worth, and all of them together?",
        hypothesis="Straight ends and cross-sections a point each, the others nothing; all together three points.",
        control=SHIPPED,
        arms=(*(f"{SHIPPED}/{name}=no" for name in OF_DECODING), "textsnake/shipped/tcl_threshold=0.2"),
        metric="f",
        margin=MARGIN,
    ),
    Study(
        name="textsnake.refinements_at_best",
        question="What is each refinement of labels and decoding worth from perfect maps, and all of them together?",
        hypothesis="A line of a pixel and its strides are worth points, for thin text breaks; the others nothing.",
        control=ORACLE,
        arms=(*(f"{ORACLE}/{name}=no" for name in (*OF_LABELS, *OF_DECODING)), "textsnake/oracle"),
        metric="f",
        margin=MARGIN,
    ),
    Study(
        name="textsnake.threshold",
        question="How sure must a small network be of a centre line?",
        hypothesis="Less sure than the paper's 0.6: its lines are a few pixels wide and break where it doubts.",
        control="textsnake/shipped/refined",
        arms=tuple(f"textsnake/shipped/refined/tcl_threshold={least}" for least in ("0.1", "0.2", "0.3", "0.4", "0.8")),
        metric="f",
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="textsnake.hard_negatives",
        question="Does it help to count only the hardest pixels outside text?",
        hypothesis="Yes: seven pixels in eight are background, and most of them are easy.",
        control=SHORT,
        arms=(f"{SHORT}/all_negatives", f"{SHORT}/hard_negatives=1"),
        metric="f",
        margin=0.02,
    ),
    Study(
        name="textsnake.radius",
        question="Should the network give the radius in pixels, as in the paper, or its logarithm?",
        hypothesis="The logarithm learns sooner: the loss is about relative errors.",
        control=SHORT,
        arms=(f"{SHORT}/radius=linear",),
        metric="f",
        margin=0.02,
    ),
    Study(
        name="textsnake.backbone",
        question="What is gained by a larger backbone, all from random weights and for as many steps?",
        hypothesis="ResNet-18 gains a little; VGG-16, without batch norm, has hardly begun to learn.",
        control=SHORT,
        arms=tuple(f"{SHORT}/backbone={name}" for name in ("resnet18", "vgg16")),
        metric="f",
        margin=0.02,
    ),
)
