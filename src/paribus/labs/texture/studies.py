"""The lab's questions."""

from __future__ import annotations

from paribus.labs.texture.experiments import BASELINE, JUDGES, LOSS_NAMES
from paribus.spec.study import Study

MARGIN = 0.05
"""Of the decimal logarithm of a distance: larger or smaller by an eighth. Less is hard to see."""

STYLE_MARGIN = 0.02
"""Of ``transfer``: an eighth of what AdaIN reached on one seed that no study has."""
STYLED = "robust/styles/stylize"
"""What the studies of style transfer begin with: the network through which the networks that ship were taught."""


def _study(topic: str, question: str, hypothesis: str, arms: tuple[str, ...], **more: object) -> Study:
    settings: dict[str, object] = {
        "control": "texture/base",
        "metric": "patch_distance",
        "direction": "min",
        "margin": MARGIN,
        "seeds": 8,
        **more,
    }
    names = tuple(f"texture/{arm}" for arm in arms)
    return Study(name=f"texture.{topic}", question=question, hypothesis=hypothesis, arms=names, **settings)  # type: ignore[arg-type]


def _style_study(
    topic: str, question: str, hypothesis: str, arms: tuple[str, ...], *, control: str = STYLED, ordered: bool = False
) -> Study:
    return _study(
        topic,
        question,
        hypothesis,
        tuple(f"{control}/{arm}" for arm in arms),
        control=f"texture/{control}",
        metric="transfer",
        direction="max",
        margin=STYLE_MARGIN,
        beside=("content", "ssim", "style_patch_distance", "style_gram_distance"),
        ordered=ordered,
        seeds=4,
    )


LOSSES = ("covariance", "mean_variance", "histogram", "sorted", "sliced")
JUDGING = {
    loss: tuple(f"{loss}_on_{judge}" for judge, network in JUDGES.items() if network != BASELINE.network)
    for loss in LOSS_NAMES
}
"""Each measure on the networks on which no image was optimised."""

STUDIES = (
    _study(
        "loss",
        "What has to agree at a layer for two textures to look alike?",
        "Whole distributions do best, sliced Wasserstein before sorted channels; mean and variance alone do worst.",
        LOSSES,
        seeds=4,
    ),
    _study(
        "measures",
        "Which measure puts the losses in the same order, whatever network it is taken on?",
        "All of them, better than chance: so said an earlier run, covariance and sliced Wasserstein most clearly.",
        LOSSES,
        judges=JUDGING,
        seeds=4,
    ),
    _study(
        "layers",
        "Which layers make a texture?",
        "Each layer adds something; the last alone leaves noise, for pooling hides what is fine.",
        ("first=1", "first=2", "first=3", "last", "more_layers"),
    ),
    _study(
        "weights",
        "Does it matter how layers are weighed?",
        "No: four layers can all be met at once, so weights change the way and hardly the end.",
        ("deep_weights", "shallow_weights"),
    ),
    _study(
        "network",
        "Does a network have to be trained to see textures?",
        "No: random weights are better than those trained on CIFAR-10, and robust ones as good as random ones.",
        ("random", "robust"),
    ),
    _study(
        "pooling",
        "Should the network pool by the average or by the maximum, as it was trained?",
        "The average is better: its gradient reaches every pixel.",
        ("max_pool",),
    ),
    _study(
        "optimizer",
        "L-BFGS or Adam, with as many steps?",
        "L-BFGS is better by far: the loss is ill-conditioned and has no noise.",
        ("adam",),
    ),
    _study(
        "scales",
        "What does it gain to begin small?",
        "Coarse scales settle what layers do not see from near: one scale is worse, more than three change nothing.",
        ("scales=1", "scales=2", "scales=4"),
    ),
    _study(
        "steps",
        "Can one scale make up by more steps what it lacks in coarse ones?",
        "Hardly: three times the steps lower the loss, and layers still do not see what is larger than their field.",
        ("scales=1/steps=150",),
        control="texture/scales=1",
    ),
    _study(
        "period",
        "Does a period survive that the layers cannot see at once?",
        "Not at one scale: layers see 36 pixels at most, the texture repeats every 48; coarse scales bring it back.",
        ("period=48/scales=1", "period=48/scales=2", "period=48/scales=4"),
        control="texture/period=48",
        metric="autocorrelation_distance",
    ),
    _study(
        "seam",
        "Do textures tile when opposite edges are joined?",
        "Steps across the edges become as small as those inside; with every other border they are larger.",
        ("tile", "zeros_border", "replicate_border"),
        metric="seam",
    ),
    _study(
        "border",
        "Does the border cost quality?",
        "Tiling costs nothing; zeros cost most, for coarse scales are mostly border.",
        ("tile", "zeros_border", "replicate_border"),
    ),
    _study(
        "precision",
        "Does it change the result in which precision the network computes?",
        "No: sums over thousands of positions average the rounding away.",
        ("float32", "float16"),
        seeds=12,
    ),
    _study(
        "bound",
        "L-BFGS has no line search: does it need a bound on the length of its steps?",
        "Rarely: after a change of scale an image is lost now and then, and most are as near without it.",
        ("bounded",),
    ),
    _study(
        "feed_forward",
        "Does a network trained for a texture make it as well as optimisation does, by the same loss?",
        "No: after 500 steps Gram matrices are met by noise and spots, where optimisation has found shapes.",
        ("feed_forward",),
        seeds=4,
    ),
    _study(
        "photographs",
        "Does the network that is best for textures also serve photographs of things?",
        "Yes: Gram matrices forget where things are, so parts of things are met as parts of textures are; robust "
        "weights come first again, then random ones.",
        ("photographs/robust", "photographs/random"),
        control="texture/photographs",
        seeds=4,
    ),
    _style_study(
        "style_method",
        "Which gives photographs a style: optimisation, or one pass of a decoder for any style?",
        "The decoder: optimisation comes nearer to the style, and at its usual weight pays more content than that is "
        "worth; half the style (alpha) is worth less than the whole.",
        ("adain", "alpha=0.5"),
    ),
    _style_study(
        "style_network",
        "Is a network that was trained for one style better at it than what takes any?",
        "Yes: it has learnt this style alone, from the whole picture; AdaIN comes next, and optimisation last.",
        ("adain", "fast_style"),
        control="robust/source=flower/stylize",
    ),
    _style_study(
        "style_weight",
        "How much should the content count?",
        "There is a best weight in between, and 0.2 is better than 0.05: at 0.0125 little of the photograph is left, "
        "at 0.8 little of the style is there.",
        ("content=0.0125", "content=0.2", "content=0.8"),
        ordered=True,
    ),
    _style_study(
        "style_layer",
        "At which layer should the content be compared?",
        "In the middle: an early layer keeps the pixels and leaves no room for the style, at a deep one the photograph "
        "gets lost.",
        ("content_layer=relu2_1", "content_layer=relu4_1"),
        ordered=True,
    ),
    _style_study(
        "style_start",
        "Does style transfer have to start from the photograph?",
        "Yes: from noise, less of the photograph is there after as many steps, and no more of the style.",
        ("from_noise",),
    ),
)
