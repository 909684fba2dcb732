"""The lab's questions."""

from __future__ import annotations

from paribus.spec.study import Study

MARGIN = 0.02
"""Two points of accuracy: two images of the hundred that are attacked."""

ATTACKS = ("noise", "fgsm", "bim", "mi_fgsm", "pgd", "apgd_ce", "apgd_t", "fab_t", "square", "autoattack")
DEFENCES = ("affine", "salt_and_pepper", "blur", "jpeg")
TRAININGS = ("pgd_training", "trades=3", "free_training", "fast_training")

STUDIES = (
    Study(
        name="adversarial.scale",
        question="How large must a perturbation be?",
        hypothesis="Robust accuracy falls with the radius, to nothing while digits are still easy to read.",
        control="adversarial/base",
        arms=tuple(f"adversarial/eps={eps}" for eps in ("0.01", "0.02", "0.035", "0.07", "0.1")),
        metric="robust_accuracy",
        margin=MARGIN,
        ordered=True,
    ),
    Study(
        name="adversarial.attacks",
        question="Which attack alone comes close to the worst case over several?",
        hypothesis="Noise breaks next to nothing; targeted Auto-PGD alone is within the margin of the ensemble.",
        control="adversarial/base",
        arms=tuple(f"adversarial/by_{name}" for name in ATTACKS),
        metric="robust_accuracy",
        direction="min",
        margin=MARGIN,
    ),
    Study(
        name="adversarial.loss_terms",
        question="What does each term of the course's loss do to the distance of the errors that it finds?",
        hypothesis="The larger c, the nearer the errors; a larger weight of the other terms drives them further away.",
        control="adversarial/course",
        arms=(
            *(f"adversarial/course/c={c}" for c in ("1", "0.01")),
            *(f"adversarial/course/tv={tv}" for tv in ("0", "1")),
            "adversarial/course/cross_entropy=10",
        ),
        metric="median_distance",
        direction="min",
        margin=0.05,
        beside=("attack_success",),
    ),
    Study(
        name="adversarial.nearest",
        question="Which search finds the nearest error in L2?",
        hypothesis="Carlini-Wagner comes nearer than DeepFool, and both come nearer than one weight for all images.",
        control="adversarial/course",
        arms=("adversarial/deepfool", "adversarial/carlini_wagner"),
        metric="median_distance",
        direction="min",
        margin=0.05,
        factorial=True,
        beside=("attack_success", "queries"),
    ),
    Study(
        name="adversarial.defences_naive",
        question="How good do input transformations look against an attack that does not know of them?",
        hypothesis="Each seems to help: the perturbation was made for another network.",
        control="adversarial/base",
        arms=tuple(f"adversarial/{name}" for name in DEFENCES),
        metric="robust_accuracy",
        margin=MARGIN,
        beside=("natural_accuracy", "defended_accuracy"),
    ),
    Study(
        name="adversarial.defences_adaptive",
        question="What are input transformations worth against an attack that goes through them?",
        hypothesis="Little: the gain of the naive study goes away, and for those that blur it turns into a loss.",
        control="adversarial/adaptive",
        arms=tuple(f"adversarial/adaptive/{name}" for name in DEFENCES),
        metric="robust_accuracy",
        margin=MARGIN,
        beside=("natural_accuracy", "defended_accuracy"),
    ),
    Study(
        name="adversarial.targeted",
        question="How much harder is it to bring about one chosen error than any?",
        hypothesis="Much harder at the same radius: the nearest boundary seldom leads to the chosen class.",
        control="adversarial/base",
        arms=("adversarial/targeted",),
        metric="robust_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="adversarial.training",
        question="Which training makes a network robust?",
        hypothesis="All four do; more gradient steps for each example give more, at several times the cost.",
        control="adversarial/base",
        arms=tuple(f"adversarial/{name}" for name in TRAININGS),
        metric="robust_accuracy",
        margin=MARGIN,
        beside=("natural_accuracy",),
    ),
    Study(
        name="adversarial.price",
        question="What does robustness cost in natural accuracy?",
        hypothesis="Some points for each training, more with a larger weight of robustness in TRADES.",
        control="adversarial/base",
        arms=(*(f"adversarial/{name}" for name in TRAININGS), "adversarial/trades=1", "adversarial/trades=10"),
        metric="natural_accuracy",
        margin=MARGIN,
        beside=("robust_accuracy",),
    ),
    Study(
        name="adversarial.overfitting",
        question="When does training on single steps fail?",
        hypothesis="In a ball of 0.2 it teaches the step alone; a longer step does so in a small ball, and adds to it.",
        control="adversarial/fast_training",
        arms=tuple(
            f"adversarial/fast_training/{changes}"
            for changes in ("training_eps=0.2", "training_step=2", "training_eps=0.2/training_step=2")
        ),
        metric="robust_accuracy",
        margin=MARGIN,
        factorial=True,
        beside=("overfitting", "natural_accuracy"),
    ),
    Study(
        name="adversarial.precision",
        question="Does searching in 16 bits change what an attack finds?",
        hypothesis="No: what is found is confirmed in float32, and the worst case is the same within the margin.",
        control="adversarial/base",
        arms=("adversarial/bfloat16", "adversarial/float16"),
        metric="robust_accuracy",
        margin=MARGIN,
    ),
)
