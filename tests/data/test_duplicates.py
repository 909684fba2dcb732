import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from paribus.data.duplicates import NEAR, NearDuplicateSearch, exact_across, exact_within
from paribus.data.split import SPLITS
from paribus.data.street_digits.labels import split_labels
from paribus.data.street_digits.scene import make_shard


@pytest.fixture(scope="module")
def crops() -> NDArray[np.uint8]:
    return np.concatenate([make_shard(split, 0, split_labels(split)[:300]) for split in SPLITS])


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_exact_duplicates_are_those_of_a_double_loop(first: list[int], second: list[int]) -> None:
    images, others = (np.array(values, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
                      for values in (first, second))  # fmt: skip
    within = [(first.index(value), row) for row, value in enumerate(first) if first.index(value) < row]
    across = [(first.index(value), row) for row, value in enumerate(second) if value in first]
    assert [tuple(pair) for pair in exact_within(images).tolist()] == within
    assert [tuple(pair) for pair in exact_across(images, others).tolist()] == across


def correlations(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = [one.astype(float).mean(axis=3).reshape(len(one), -1) for one in (images, others)]
    return np.corrcoef(*grey)[: len(images), len(images) :]


def test_near_duplicates_are_those_of_all_correlations(crops: NDArray[np.uint8]) -> None:
    random = np.random.default_rng(0)
    images = crops[:600]
    chosen = random.permutation(600)[:80]
    noise = random.normal(0, 1, (80, 32, 32, 3)) * random.uniform(0, 12, (80, 1, 1, 1))
    changed = images[chosen] * random.uniform(0.5, 1.0, (80, 1, 1, 1)) + noise
    others = np.concatenate([np.clip(changed, 0, 255).astype(np.uint8), crops[600:]])
    table = correlations(images, others)
    expected = {row for row in range(len(others)) if table[:, row].max() >= NEAR}
    found = NearDuplicateSearch.over(images).across(others)
    assert 20 < len(expected) < 80
    assert set(found[:, 1].tolist()) == expected
    assert (table[found[:, 0], found[:, 1]] > NEAR - 1e-4).all()
    assert (found[:, 0] == table[:, found[:, 1]].argmax(axis=0)).all()


def test_a_difference_that_is_all_slow_is_still_within_the_search() -> None:
    y = np.arange(32) + 0.5
    wave, tilt = np.cos(np.pi * y / 32)[:, None] * np.ones(32), np.ones((32, 1)) * np.cos(np.pi * y / 32)
    images = [np.rint(127 + 80 * (wave + share * tilt)).astype(np.uint8) for share in (0.0, 0.19, 0.24)]
    stack = np.repeat(np.stack(images)[..., None], 3, axis=3)
    table = correlations(stack[:1], stack[1:])[0]
    assert table[1] < NEAR < table[0] < NEAR + 0.003
    assert NearDuplicateSearch.over(stack[:1]).across(stack[1:]).tolist() == [[0, 0]]


def test_near_duplicates_within_a_set_pair_each_copy_with_its_original(crops: NDArray[np.uint8]) -> None:
    copies = np.clip(crops[5:25] * 0.8 + 20, 0, 255).astype(np.uint8)
    found = NearDuplicateSearch.over(np.concatenate([crops, copies])).within()
    pairs = {tuple(pair) for pair in found.tolist()}
    assert {(row, len(crops) + row - 5) for row in range(5, 25)} <= pairs
    assert len(pairs) < 30


def test_constant_images_match_nothing() -> None:
    images = np.full((5, 8, 8, 3), 7, dtype=np.uint8)
    assert len(NearDuplicateSearch.over(images).within()) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 20), st.integers(4, 20), st.integers(1, 4), st.integers(1, 9))
def test_any_shape_and_number_of_images_can_be_searched(height: int, width: int, channels: int, count: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    found = NearDuplicateSearch.over(images).across(images)
    assert (found == np.arange(count)[:, None]).all()
