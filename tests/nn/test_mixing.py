"""Mixup against a loop, and its random draws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from paribus.errors import ConfigError
from paribus.nn.mixing import draw_mix, mix_inputs, mix_labels
from paribus.spec.seed import Streams


def test_inputs_and_labels_are_mixed_with_the_same_weights():
    images = torch.arange(12, dtype=torch.float32).reshape(3, 1, 2, 2)
    labels, permutation, weight = torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1]), 0.75
    mixed, q = mix_inputs(images, weight, permutation), mix_labels(labels, weight, permutation, 2)
    for i, j in enumerate(permutation.tolist()):
        torch.testing.assert_close(mixed[i], 0.75 * images[i] + 0.25 * images[j])
    torch.testing.assert_close(q, torch.tensor([[0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]))


def test_weight_one_leaves_the_batch_as_it_is():
    images = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3))).float()
    assert torch.equal(mix_inputs(images, 1.0, torch.tensor([4, 3, 2, 1, 0])), images)


def test_draws_repeat_and_the_permutation_does_not_depend_on_alpha():
    streams = Streams(11)
    weight, permutation = draw_mix(0.4, 50, streams.generator("mixup"))
    again, same = draw_mix(0.4, 50, streams.generator("mixup"))
    none, control = draw_mix(0.0, 50, streams.generator("mixup"))
    assert weight == again
    assert torch.equal(permutation, same)
    assert torch.equal(permutation, control)
    assert none == 1.0
    assert sorted(permutation.tolist()) == list(range(50))


def test_lambda_follows_the_beta_distribution():
    generator = Streams(2).generator("mixup")
    weights = [draw_mix(0.4, 2, generator)[0] for _ in range(2000)]
    assert scipy.stats.kstest(weights, scipy.stats.beta(0.4, 0.4).cdf).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [-0.1, float("nan")])
def test_alpha_below_zero_is_refused(alpha):
    with pytest.raises(ConfigError, match="zero or more"):
        draw_mix(alpha, 4, Streams(0).generator("mixup"))
