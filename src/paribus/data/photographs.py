"""Real photographs and textures that come inside the packages of scikit-image and scikit-learn: no download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from paribus.data.pictures import Picture, read_picture
from paribus.errors import DataError, UnknownName, suggest


@dataclass(frozen=True)
class Source:
    """Where a photograph comes from."""

    package: str
    path: str
    what: str
    licence: str
    """As its package states it."""


_PUBLIC = "public domain"
_FREE = "no known copyright restrictions"
_UNSAID = "no licence of its own is named"
_SOURCES = {
    "astronaut": Source("skimage", "data/astronaut.png", "Eileen Collins, astronaut (NASA)", _PUBLIC),
    "camera": Source("skimage", "data/camera.png", "a man with a camera, grey (Lav Varshney)", "CC0"),
    "cat": Source("skimage", "data/chelsea.png", "the face of Chelsea, a cat (Stéfan van der Walt)", "CC0"),
    "china": Source("sklearn", "datasets/images/china.jpg", "a temple in China (danielbuechele)", "CC BY 2.0"),
    "coffee": Source("skimage", "data/coffee.png", "a cup on a wooden table (Rachel Michetti)", "CC0"),
    "coins": Source("skimage", "data/coins.png", "coins from Pompeii, grey (Brooklyn Museum)", _FREE),
    "flower": Source("sklearn", "datasets/images/flower.jpg", "a dahlia (vultilion)", "CC BY 2.0"),
    "galaxies": Source("skimage", "data/hubble_deep_field.jpg", "the Hubble eXtreme Deep Field (NASA)", _PUBLIC),
    "moon": Source("skimage", "data/moon.png", "the surface of the Moon, grey", _UNSAID),
    "motorcycle": Source("skimage", "data/motorcycle_left.png", "a motorcycle in a shed (Middlebury 2014)", _UNSAID),
    "retina": Source("skimage", "data/retina.jpg", "the retina of an eye (Mikael Häggström)", "CC0"),
    "rocket": Source("skimage", "data/rocket.jpg", "a Falcon 9 lifts off (SpaceX)", _PUBLIC),
    "brick": Source("skimage", "data/brick.png", "a brick wall, grey (CC0Textures, Bricks25)", "CC0"),
    "grass": Source("skimage", "data/grass.png", "grass, grey (linolafett, DeviantArt)", "CC0"),
    "gravel": Source("skimage", "data/gravel.png", "gravel, grey (CC0Textures, Gravel04)", "CC0"),
    "tissue": Source("skimage", "data/ihc.png", "stained tissue of the colon under a microscope (CMMI)", _FREE),
}
TEXTURES = ("brick", "grass", "gravel", "tissue")
"""Photographs of one texture each, 512x512; all but ``tissue`` are grey."""
PHOTOGRAPHS = tuple(name for name in _SOURCES if name not in TEXTURES)
"""Photographs of things, 300 to 1,411 pixels a side."""


@cache
def photograph(name: str) -> Picture:
    """Return the photograph called *name*, one of PHOTOGRAPHS or TEXTURES, as (H, W, 3), uint8, read-only.

    Raises:
        UnknownName: there is none of that name.
        DataError: the package that brings it lacks the file.
    """
    picture = read_picture(_file(name))
    picture.flags.writeable = False
    return picture


def source(name: str) -> str:
    """Return in words what the photograph called *name* shows, where it comes from, and its licence."""
    found = _source(name)
    package = {"skimage": "scikit-image", "sklearn": "scikit-learn"}[found.package]
    return f"{found.what}; {found.licence}; comes with {package}"


def editions(names: Iterable[str]) -> tuple[str, ...]:
    """Return a line for each of *names* that changes where the file does: what a lab's ``data_editions`` gives."""
    return tuple(f"photograph {name} {hashlib.sha256(_file(name).read_bytes()).hexdigest()[:12]}" for name in names)


def _source(name: str) -> Source:
    if name not in _SOURCES:
        raise UnknownName(f"no photograph is called {name!r}{suggest(name, _SOURCES)}")
    return _SOURCES[name]


def _file(name: str) -> Path:
    found = _source(name)
    spec = find_spec(found.package)
    path = Path(spec.origin).parent / found.path if spec and spec.origin else None
    if path is None or not path.exists():
        raise DataError(f"photograph {name!r}: the package {found.package} lacks {found.path}; reinstall it")
    return path
