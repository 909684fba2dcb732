"""The photographs that come with other packages: all there, as those packages themselves read them."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from sklearn.datasets import load_sample_image

from paribus.data.photographs import PHOTOGRAPHS, TEXTURES, editions, photograph, source
from paribus.errors import UnknownName

THEIRS = {
    "cat": "chelsea",
    "galaxies": "hubble_deep_field",
    "tissue": "immunohistochemistry",
}


@pytest.mark.parametrize("name", [*PHOTOGRAPHS, *TEXTURES])
def test_each_is_here_as_its_package_reads_it(name: str) -> None:
    found = photograph(name)
    assert found.dtype == np.uint8
    assert found.ndim == 3
    assert found.shape[2] == 3
    assert min(found.shape[:2]) >= 300
    assert not found.flags.writeable
    if name in ("china", "flower"):
        theirs = load_sample_image(f"{name}.jpg")
    elif name == "motorcycle":
        theirs = skimage.data.stereo_motorcycle()[0]
    else:
        theirs = getattr(skimage.data, THEIRS.get(name, name))()
    np.testing.assert_array_equal(found, theirs if theirs.ndim == 3 else np.repeat(theirs[..., None], 3, axis=-1))
    assert photograph(name) is found


def test_each_says_where_it_comes_from() -> None:
    for name in (*PHOTOGRAPHS, *TEXTURES):
        what, licence, package = source(name).split("; ")
        assert what
        assert licence
        assert package in ("comes with scikit-image", "comes with scikit-learn")
    assert not set(PHOTOGRAPHS) & set(TEXTURES)


def test_editions_tell_files_apart() -> None:
    lines = editions((*PHOTOGRAPHS, *TEXTURES))
    assert len(set(lines)) == len(PHOTOGRAPHS) + len(TEXTURES)
    assert lines == editions((*PHOTOGRAPHS, *TEXTURES))
    assert len({line.rpartition(" ")[2] for line in lines}) == len(lines)


def test_an_unknown_name_is_answered_with_a_near_one() -> None:
    with pytest.raises(UnknownName, match="'astronaut'"):
        photograph("astronout")
