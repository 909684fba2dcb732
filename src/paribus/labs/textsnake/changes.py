"""The lab's named changes: each one field of the baseline, with its value before and after."""

from __future__ import annotations

from paribus.labs.textsnake.experiments import BACKBONES, BASELINE, SHORT, SLIM, Oracle, Shipped, Training
from paribus.labs.textsnake.protocols import PROTOCOLS
from paribus.labs.textsnake.refinements import REFINED, TO_THE_LETTER
from paribus.labs.textsnake.shipped import digest
from paribus.spec.change import Change, OneOf, word

NETWORK = (
    Change(
        name="slim",
        doc="Takes a small residual network with a narrow merging branch at half the resolution, for processors.",
        path="network",
        before=BASELINE.network,
        after=SLIM,
    ),
    Change(
        name="backbone",
        doc="Puts vgg16, resnet18, resnet50 or slim under the merging branch.",
        path="network.backbone",
        before=OneOf(BACKBONES),
        after=lambda name: name,
        parameter=word(*BACKBONES),
    ),
    Change(
        name="from_scratch",
        doc="Starts the backbone from random weights instead of ImageNet's.",
        path="network.weights",
        before="imagenet",
        after="random",
    ),
    Change(
        name="half_resolution",
        doc="Predicts at half the image's resolution and enlarges the seven maps, a quarter of the last layers' work.",
        path="network.full_resolution",
        before=True,
        after=False,
    ),
    Change(
        name="merge_norm",
        doc="Puts batch norm after each convolution of the merging branch.",
        path="network.merge_norm",
        before=False,
        after=True,
    ),
    Change(
        name="radius",
        doc="Lets the network give the radius in pixels (linear), as in the paper, or by its logarithm (log).",
        path="network.log_radius",
        before=OneOf((False, True)),
        after=lambda kind: kind == "log",
        parameter=word("linear", "log"),
    ),
)

SOURCE = (
    Change(
        name="short",
        doc="Trains for 1,000 steps of eight scenes of 192x192: minutes instead of days.",
        path="source",
        before=BASELINE.source,
        after=SHORT,
    ),
    Change(
        name="steps",
        doc="Trains for so many steps.",
        path="source.steps",
        before=OneOf((Training().steps, SHORT.steps)),
        after=lambda steps: steps,
        parameter=int,
    ),
    Change(
        name="bfloat16",
        doc="Computes convolutions in bfloat16 while it trains, instead of float32.",
        path="source.precision",
        before="float32",
        after="bfloat16",
    ),
    Change(
        name="shipped",
        doc="Trains nothing: takes the slim weights that come with Paribus, on test scenes that the seed draws.",
        path="source",
        before=BASELINE.source,
        after=Shipped(digest=digest()),
    ),
    Change(
        name="oracle",
        doc="Takes the maps of the true polygons instead of a network's: what a representation can do at best.",
        path="source",
        before=BASELINE.source,
        after=Oracle(),
    ),
)

LOSS = (
    Change(
        name="all_negatives",
        doc="Counts every pixel outside text in the loss of the text region, not the hardest three to a positive one.",
        path="loss.hard_negatives",
        before=3.0,
        after=None,
    ),
    Change(
        name="hard_negatives",
        doc="Counts so many of the hardest pixels outside text to each one inside.",
        path="loss.hard_negatives",
        before=3.0,
        after=lambda ratio: ratio,
        parameter=float,
    ),
)

DECODING = (
    Change(
        name="contours",
        doc="Takes the outlines of the connected text regions as they are: no disks, no centre line.",
        path="decoding.representation",
        before="disks",
        after="contours",
    ),
    Change(
        name="rotated_boxes",
        doc="Takes the rectangle of least area around each connected text region.",
        path="decoding.representation",
        before="disks",
        after="rotated_boxes",
    ),
    Change(
        name="no_centralizing",
        doc="Leaves out act (a): points stay where striding put them.",
        path="decoding.centralize",
        before=True,
        after=False,
    ),
    Change(
        name="no_striding",
        doc="Leaves out act (b): the axis is a straight line along the tangent at the middle of the component.",
        path="decoding.stride",
        before=True,
        after=False,
    ),
    Change(
        name="no_sliding",
        doc="Leaves out act (c)'s radii: every circle that is slid along the axis has the instance's mean radius.",
        path="decoding.slide",
        before=True,
        after=False,
    ),
    Change(
        name="tr_threshold",
        doc="Takes as text what is at least so probable, instead of 0.4.",
        path="decoding.tr_threshold",
        before=0.4,
        after=lambda threshold: threshold,
        parameter=float,
    ),
    Change(
        name="tcl_threshold",
        doc="Takes as centre line what is at least so probable, instead of 0.6.",
        path="decoding.tcl_threshold",
        before=0.6,
        after=lambda threshold: threshold,
        parameter=float,
    ),
    Change(
        name="least_score",
        doc="Leaves out instances that score less, instead of none.",
        path="decoding.least_score",
        before=0.0,
        after=lambda score: score,
        parameter=float,
    ),
)


def _refinement(name: str, doc: str) -> Change:
    return Change(
        name=name,
        doc=f"{doc} (yes); to the letter of the paper, not (no).",
        path=f"refinements.{name}",
        before=OneOf((False, True)),
        after=lambda answer: answer == "yes",
        parameter=word("yes", "no"),
    )


REFINEMENTS = (
    Change(
        name="refined",
        doc="Makes labels and decodes with all eight refinements beyond the paper.",
        path="refinements",
        before=TO_THE_LETTER,
        after=REFINED,
    ),
    _refinement("narrow_ends", "Finds the ends of an outline by width and order where M leaves a doubt"),
    _refinement("recentred", "Moves an axis to the middle of its sides, and takes the distance to them as radius"),
    _refinement("quarter_cut", "Leaves a centre line to text shorter than high"),
    _refinement("pixel_line", "Makes no centre line narrower than a pixel"),
    _refinement("cross_sections", "Reads middle, radius and tangent as means over cross-sections of the centre line"),
    _refinement("pixel_strides", "Strides a pixel at least, and over a hole or a ragged border of one"),
    _refinement("straight_ends", "Ends outlines straight, at the border of the text region"),
    _refinement("four_pixels", "Leaves out centre lines of fewer than four pixels"),
)

SCORING = (
    Change(
        name="protocol",
        doc="Scores as deteval, ctw1500, icdar2015 or msra_td500 do.",
        path="scoring.protocol",
        before="deteval",
        after=lambda name: name,
        parameter=word(*PROTOCOLS),
    ),
    Change(
        name="tr",
        doc="Lets DetEval ask that so large a share of a text be covered, instead of 0.7.",
        path="scoring.tr",
        before=0.7,
        after=lambda share: share,
        parameter=float,
    ),
    Change(
        name="tp",
        doc="Lets DetEval ask that so large a share of a find be text, instead of 0.6.",
        path="scoring.tp",
        before=0.6,
        after=lambda share: share,
        parameter=float,
    ),
    Change(
        name="scenes",
        doc="Judges on so many test scenes instead of 100; there are 500.",
        path="scoring.scenes",
        before=100,
        after=lambda count: count,
        parameter=int,
    ),
)

CHANGES = (*NETWORK, *SOURCE, *LOSS, *DECODING, *REFINEMENTS, *SCORING)
