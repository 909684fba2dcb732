import numpy as np
from sklearn.datasets import load_digits

from paribus.data.catalogue import load


def test_the_parts_are_a_stratified_partition_of_the_scans() -> None:
    parts = [load("digits", part) for part in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [1077, 360, 360]
    counts = sum(np.bincount(part.labels) for part in parts)
    assert (counts == np.bincount(load_digits().target)).all()
    for part in parts:
        assert np.abs(np.bincount(part.labels) / len(part) - counts / 1797).max() < 0.003
        assert part.images.shape[1:] == (32, 32, 3)


def test_an_enlarged_digit_averages_to_its_scan() -> None:
    scans = load_digits()
    small = load("digits", "test").images[..., 0].reshape(360, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(360, 64)
    reference = scans.data * 255 / 16
    for image, label in zip(small, load("digits", "test").labels, strict=True):
        distance = np.abs(reference - image).mean(axis=1)
        assert scans.target[distance.argmin()] == label
        assert distance.min() < 16  # cubic interpolation overshoots and is clipped


def test_a_second_load_is_the_same() -> None:
    one, two = load("digits", "train", limit=50), load("digits", "train")
    assert (one.images == two.images[:50]).all()
    assert not two.images.flags.writeable
