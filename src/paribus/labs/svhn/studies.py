"""The lab's questions."""

from __future__ import annotations

from paribus.spec.study import Study

MARGIN = 0.005
"""Half a percentage point of test accuracy: less would not change what one does."""

STUDIES = (
    Study(
        name="svhn.softmax",
        question="Is it the exponential that makes softmax work, or would other functions do as well?",
        hypothesis="Functions that are never zero come close to softmax; those with zeros lose their gradient.",
        control="svhn/base",
        arms=(
            "svhn/abs_max",
            "svhn/square_max",
            "svhn/plus_one_abs_max",
            "svhn/non_negative_max",
            "svhn/taylor_softmax",
            "svhn/sparsemax",
            "svhn/sparsemax_loss",
            "svhn/one_vs_rest",
        ),
        metric="test_accuracy",
        margin=MARGIN,
        seeds=5,
    ),
    Study(
        name="svhn.regression",
        question="Does a classifier need cross-entropy, or can it regress on the one-hot label?",
        hypothesis="Both squared losses learn more slowly: their gradient is bounded however wrong the answer is.",
        control="svhn/base",
        arms=("svhn/squared_distance", "svhn/regression"),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.pooling",
        question="Which mean should pooling take: the maximum, the average, or an Lp mean in between?",
        hypothesis="Values of p between the average and the maximum do best, by little; p near 32 equals the maximum.",
        control="svhn/base",
        arms=(
            "svhn/avg_pool",
            *(f"svhn/lp_pool={p}" for p in (1, 2, 4, 8, 12, 32)),
            "svhn/learnt_lp_pool",
            *(f"svhn/gaussian_lp_pool={p}" for p in (1, 2, 4, 8, 12, 32)),
            "svhn/learnt_gaussian_lp_pool",
            "svhn/multi_stage",
        ),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.weight_decay",
        question="How strong should the weight decay be, and does the course's 1e-10 do anything?",
        hypothesis="1e-10 equals none; some strength between 1e-5 and 1e-3 helps a little; 1e-2 is too much.",
        control="svhn/base",
        arms=tuple(f"svhn/weight_decay={strength}" for strength in ("0", "1e-06", "1e-05", "0.0001", "0.001", "0.01")),
        metric="test_accuracy",
        margin=MARGIN,
        choose_by="validation_accuracy",
        seeds=10,  # five to choose on, five to judge on
    ),
    Study(
        name="svhn.lp_penalty",
        question="Does the exponent of the weight penalty matter, for accuracy and for the zeros it leaves?",
        hypothesis="At strengths that cost little accuracy, p = 1 and p = 1/2 leave many weights near zero, p = 2 few.",
        control="svhn/base",
        arms=(
            *(f"svhn/l2_penalty={strength}" for strength in ("0.0001", "0.001")),
            *(f"svhn/l1_penalty={strength}" for strength in ("1e-05", "0.0001")),
            *(f"svhn/half_penalty={strength}" for strength in ("1e-05", "0.0001")),
        ),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.negative_decay",
        question="What happens when the penalty is subtracted, so that large weights are rewarded?",
        hypothesis="Adam's steps are bounded: weights grow and accuracy collapses.",
        control="svhn/base",
        arms=tuple(f"svhn/negative_decay={strength}" for strength in ("0.0001", "0.01", "1", "100")),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.negative_decay_sgd",
        question="What happens when the penalty is subtracted under SGD, whose steps nothing bounds?",
        hypothesis="Weights grow exponentially, for their gradient grows with them.",
        control="svhn/sgd",
        arms=tuple(f"svhn/sgd/negative_decay={strength}" for strength in ("0.0001", "0.01", "1", "100")),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.data_size",
        question="How much is lost with fewer training images at the same number of steps?",
        hypothesis="30,000 of 73,257 cost little, 10,000 clearly more: the network begins to remember them.",
        control="svhn/base",
        arms=("svhn/train_images=30000", "svhn/train_images=10000"),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.imbalance",
        question="What do skewed training labels cost, at the same number of images?",
        hypothesis="The less the rarer half of the classes has in all, the more is lost: minority, long tail, linear.",
        control="svhn/labels=even",
        arms=("svhn/labels=linear", "svhn/labels=long_tail", "svhn/labels=minority"),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.augmentation",
        question="Which random changes to training images help?",
        hypothesis="Inversion and affine maps resemble test images and help in long runs; salt and pepper does not.",
        control="svhn/base",
        arms=("svhn/invert", "svhn/affine", "svhn/salt_and_pepper"),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.mixup",
        question="Does training on blends of two images help?",
        hypothesis="In a brief run it slows learning; in a long one it takes the edge off overfitting.",
        control="svhn/base",
        arms=("svhn/mixup=0.2", "svhn/mixup=1"),
        metric="test_accuracy",
        margin=MARGIN,
    ),
    Study(
        name="svhn.precision",
        question="Does computing in bfloat16 instead of float32 change the result?",
        hypothesis="No: the difference lies within the margin; batch norm and float32 weights take up the rounding.",
        control="svhn/base",
        arms=("svhn/float32",),
        metric="test_accuracy",
        margin=MARGIN,
        seeds=20,  # to show that two arms are alike takes more than to show that they differ
    ),
)
