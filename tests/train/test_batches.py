"""The order of examples: whole passes, shared by arms, and the same from whatever step one begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paribus.errors import ConfigError
from paribus.spec.seed import Streams
from paribus.train.batches import Batches


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5))
def test_a_pass_sees_no_example_twice(examples: int, size: int, epoch: int) -> None:
    batches = Batches(examples, size, Streams(3))
    per_pass = examples // batches.size
    seen = np.concatenate([batches.indices(epoch * per_pass + place) for place in range(per_pass)])
    assert len(set(seen.tolist())) == len(seen) == per_pass * min(size, examples)
    assert 0 <= seen.min() <= seen.max() < examples


def test_a_step_depends_on_nothing_that_came_before() -> None:
    straight = Batches(100, 8, Streams(5))
    expected = [straight.indices(step).tolist() for step in range(40)]
    shuffled = Batches(100, 8, Streams(5))
    for step in np.random.default_rng(0).permutation(40):
        assert shuffled.indices(int(step)).tolist() == expected[step]


def test_passes_and_seeds_differ() -> None:
    batches = Batches(64, 64, Streams(0))
    first, second = batches.indices(0), batches.indices(1)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(64))
    assert first.tolist() != second.tolist() != Batches(64, 64, Streams(1)).indices(1).tolist()


def test_no_examples_are_refused() -> None:
    with pytest.raises(ConfigError):
        Batches(0, 8, Streams(0))
