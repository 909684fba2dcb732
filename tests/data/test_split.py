import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.data.split import held_out_blocks, proportional, stratified_split


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12).filter(lambda c: sum(c) > 0), st.integers(0, 400))
def test_proportional_parts_sum_to_the_total_and_round_their_exact_shares(counts: list[int], total: int) -> None:
    parts = proportional(counts, total)
    assert sum(parts) == total
    for count, part in zip(counts, parts, strict=True):
        assert abs(part - count * total / sum(counts)) < 1


@given(st.lists(st.integers(0, 4), min_size=60, max_size=200))
def test_stratified_parts_are_a_partition_with_each_class_in_proportion(given_labels: list[int]) -> None:
    labels = np.array(given_labels, dtype=np.int64)
    parts = stratified_split(labels, 12, 15, "test")
    rows = np.concatenate([parts["train"], parts["validation"], parts["test"]])
    assert sorted(rows.tolist()) == list(range(len(labels)))
    assert (len(parts["validation"]), len(parts["test"])) == (12, 15)
    for label in np.unique(labels):
        share = (labels == label).sum() * 12 / len(labels)
        assert abs((labels[parts["validation"]] == label).sum() - share) < 1


def test_a_stratified_split_is_the_same_each_time_and_another_under_another_name() -> None:
    labels = np.arange(100, dtype=np.int64) % 5
    first, again, other = (stratified_split(labels, 20, 20, name) for name in ("a", "a", "b"))
    assert all((first[part] == again[part]).all() for part in first)
    assert (first["test"] != other["test"]).any()


@pytest.mark.parametrize("count", [10_007, 2_000])
def test_held_out_blocks_are_runs_of_neighbours_with_the_frequencies_of_the_whole(count: int) -> None:
    labels = np.random.default_rng(1).choice(10, count, p=np.array([5, 19, 15, 12, 10, 9, 8, 8, 7, 7]) / 100)
    mask = held_out_blocks(labels, count // 10, "test")
    assert abs(int(mask.sum()) - count // 10) <= 50
    size = min(50, count // 10 // 8)
    edges = np.flatnonzero(np.diff(mask.astype(int))) + 1
    assert (edges % size == 0).all()
    whole, part = (np.bincount(one, minlength=10) / len(one) for one in (labels, labels[mask]))
    drawn = np.abs(np.bincount(labels[: mask.sum()], minlength=10) / mask.sum() - whole).sum()
    assert np.abs(part - whole).sum() < drawn
