"""The finished crops: counts, order, cache, and what is kept apart between the parts."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from paribus.data.catalogue import load
from paribus.data.split import SPLITS
from paribus.data.street_digits import cache
from paribus.data.street_digits.cache import SHARD
from paribus.data.street_digits.glyphs import TYPEFACES
from paribus.data.street_digits.grounds import PHOTOGRAPHS, textures
from paribus.data.street_digits.labels import COUNTS, split_labels
from paribus.data.street_digits.scene import make_shard
from paribus.errors import DataError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def test_the_counts_are_those_published_for_svhn() -> None:
    assert sum(COUNTS["train"]) == 73257
    assert sum(COUNTS["test"]) == 26032
    assert sum(COUNTS["validation"]) == 6000
    for split in SPLITS:
        assert np.bincount(split_labels(split)).tolist() == list(COUNTS[split])
        assert max(COUNTS[split]) == COUNTS[split][1]


def test_a_crop_is_the_same_whatever_the_limit_and_whatever_was_made_before(root: Path) -> None:
    few = load("street_digits", "train", limit=10, folder=root)
    more = load("street_digits", "train", limit=SHARD + 5, folder=root)
    assert len(few) == 10
    assert len(more) == SHARD + 5
    assert isinstance(more.images, np.memmap)
    assert not more.images.flags.writeable
    assert (few.images == more.images[:10]).all()
    labels = split_labels("train")
    assert (more.images[SHARD:] == make_shard("train", 1, labels[SHARD : 2 * SHARD])[:5]).all()
    assert (more.labels == labels[: SHARD + 5]).all()
    assert "synthetic" in more.source


def test_only_the_shards_that_are_needed_are_made(root: Path) -> None:
    load("street_digits", "validation", limit=3, folder=root)
    assert len(list(root.glob("street_digits/*/validation-*.done"))) == 1


def test_a_shard_that_was_interrupted_is_made_again(root: Path) -> None:
    images = np.array(load("street_digits", "test", limit=8, folder=root).images)
    (marker,) = root.glob("street_digits/*/test-000.done")
    marker.unlink()
    array = np.load(marker.with_name("test.npy"), mmap_mode="r+")
    array[:8] = 0
    array.flush()
    assert (load("street_digits", "test", limit=8, folder=root).images == images).all()


def test_another_version_has_another_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load("street_digits", "train", limit=1, folder=root)
    (first,) = (root / "street_digits").iterdir()
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    load("street_digits", "train", limit=1, folder=root)
    assert {path.name[:3] for path in (root / "street_digits").iterdir()} == {
        f"v{cache.VERSION - 1}-",
        f"v{cache.VERSION}-",
    }
    assert first.exists()


def test_processes_that_ask_at_once_all_get_the_right_crops(tmp_path: Path) -> None:
    program = (
        "import sys, hashlib; from pathlib import Path; from paribus.data.catalogue import load;"
        "found = load('street_digits', 'validation', limit=1100, folder=Path(sys.argv[1]));"
        "print(hashlib.sha256(found.images.tobytes()).hexdigest())"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    together = [subprocess.Popen([*command, str(tmp_path)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    digests = {process.communicate(timeout=120)[0].strip() for process in together}
    assert all(process.returncode == 0 for process in together)
    labels = split_labels("validation")
    alone = np.concatenate(
        [make_shard("validation", shard, labels[shard * SHARD : (shard + 1) * SHARD]) for shard in (0, 1)]
    )
    assert digests == {hashlib.sha256(alone[:1100].tobytes()).hexdigest()}


def test_no_typeface_family_and_no_photograph_serves_two_parts() -> None:
    def family(face: str) -> str:
        return face.split("-")[0].removesuffix("BolIta").removesuffix("Bol")

    for one in SPLITS:
        for other in SPLITS:
            if one < other:
                families = [{family(face) for faces in TYPEFACES[s].values() for face in faces} for s in (one, other)]
                assert not families[0] & families[1]
                assert not set(PHOTOGRAPHS[one]) & set(PHOTOGRAPHS[other])
                mine, theirs = textures(one)[0], textures(other)[0]
                correlation = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(mine, theirs, strict=True)]
                assert max(correlation) < 0.99


def test_the_colours_are_near_those_of_svhn(root: Path) -> None:
    images = load("street_digits", "train", limit=SHARD, folder=root).images.reshape(-1, 3)
    assert np.abs(images.mean(axis=0) - (111.6, 113.2, 120.6)).max() < 8
    assert np.abs(images.std(axis=0) - (50.5, 51.3, 50.3)).max() < 6


def test_a_limit_below_one_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match="limit=0"):
        load("street_digits", "train", limit=0, folder=root)
