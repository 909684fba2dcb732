"""Streams: repeatable everywhere, independent of each other, and no part of any global state."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paribus.spec.seed import Streams


@given(st.integers(0, 2**31), st.text(max_size=20))
def test_a_stream_repeats(seed: int, name: str) -> None:
    first, second = (Streams(seed).generator(name).integers(0, 2**62, 8) for _ in range(2))
    assert (first == second).all()
    assert 0 <= Streams(seed).integer(name) < 2**63


def test_streams_are_frozen() -> None:
    """Stored results rest on these numbers: a NumPy that draws otherwise is found here."""
    assert Streams(0).generator("order").integers(0, 1000, 5).tolist() == [769, 461, 838, 550, 836]
    assert Streams(0).integer("init/conv1.weight") == 5630839597512803562


def test_names_and_seeds_make_independent_streams() -> None:
    draws = np.array([Streams(seed).generator(f"s{name}").normal(size=50) for seed in range(20) for name in range(20)])
    correlations = np.corrcoef(draws)[np.triu_indices(400, 1)]
    assert abs(correlations.mean()) < 0.005
    # correlation of 50 independent normal pairs: t-distributed; the share beyond the 1 % point must be about 1 %
    t = correlations * np.sqrt(48 / (1 - correlations**2))
    assert 0.007 < (2 * stats.t.sf(np.abs(t), 48) < 0.01).mean() < 0.013


def test_the_global_state_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()
    Streams(3).generator("order").random(100)
    assert (np.random.get_state()[1] == before).all()
