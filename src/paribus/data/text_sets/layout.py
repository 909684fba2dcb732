"""Folders as published: where the images of a split and their annotations lie, and which belong together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from paribus.data.image_folder import SUFFIXES
from paribus.data.text_sets.sequence import AnnotatedImages, Entry
from paribus.errors import DataError, UnknownName, suggest


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a data set is laid out, and what reads one file of its annotations."""

    title: str
    images: Mapping[str, Sequence[str]]
    """For each split the folders where its images may lie; the first that exists is taken."""
    annotations: Mapping[str, Sequence[str]]
    suffixes: frozenset[str]
    """Of annotation files, in lower case."""
    parse: Callable[[Path], Iterable[Entry]]
    key: Callable[[str], str]
    """What the names of an image and of its annotation, without suffix, have in common."""


def read(form: Format, directory: Path, split: str, skip_broken: bool) -> AnnotatedImages:
    """Return the images of *split* in *directory*; see :func:`paribus.data.text_sets.read`."""
    if split not in form.images:
        raise UnknownName(f"{form.title} has no split {split!r}{suggest(split, form.images)}")
    images_at = _folder(directory, form.images[split], f"the {split} images of {form.title}")
    annotations_at = _folder(directory, form.annotations[split], f"the {split} annotations of {form.title}")
    images = _by_key(images_at, SUFFIXES, form.key)
    annotations = _by_key(annotations_at, form.suffixes, form.key)
    if not images:
        raise DataError(f"{images_at}: no images; the {split} images of {form.title} are expected here")
    problems = [
        f"{path}: its image is missing; it is expected in {images_at}"
        for key, path in annotations.items()
        if key not in images
    ] + [
        f"{path}: its annotation is missing; it is expected in {annotations_at}"
        for key, path in images.items()
        if key not in annotations
    ]
    if problems and not skip_broken:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more)
    keys = sorted(images.keys() & annotations.keys(), key=natural)
    return AnnotatedImages(
        [images[key] for key in keys],
        partial(_entries, form.parse, [annotations[key] for key in keys]),
        skip_broken=skip_broken,
        problems=problems,
    )


def _entries(parse: Callable[[Path], Iterable[Entry]], paths: Sequence[Path], index: int) -> Iterable[Entry]:
    return parse(paths[index])


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts img2 before img10."""
    parts = re.split("([0-9]+)", name)  # every second one is a number
    return [(int(part), "") if index % 2 else (0, part) for index, part in enumerate(parts)]


def _folder(directory: Path, candidates: Sequence[str], what: str) -> Path:
    """Return the first of *candidates* that is a folder within *directory*, in upper or lower case."""
    for candidate in candidates:
        place: Path | None = directory
        for part in Path(candidate).parts:
            place = place and next(
                (each for each in sorted(place.iterdir()) if each.name.lower() == part.lower() and each.is_dir()), None
            )
        if place is not None:
            return place
    others = f" (or {', '.join(candidates[1:])})" if len(candidates) > 1 else ""
    raise DataError(f"{directory}: no folder with {what}; {candidates[0]} is expected{others}")


def _by_key(folder: Path, suffixes: Iterable[str], key: Callable[[str], str]) -> dict[str, Path]:
    """Return the files of *folder* with one of *suffixes*, in natural order, by *key* of their names."""
    result: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: natural(path.name)):
        if path.suffix.lower() in suffixes and not path.name.startswith("."):
            name = key(path.stem)
            if name in result:
                raise DataError(f"{path}: stands for the same image as {result[name].name}; one of them is expected")
            result[name] = path
    return result
