"""Which pictures a command line names, and what a drawing of each is called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from paribus.data.image_folder import SUFFIXES
from paribus.errors import DataError


def pictures_named(names: Sequence[str], *, leave_out: Path | None = None) -> list[Path]:
    """Return the pictures that *names* stand for, each once, in the order of the names.

    A name is a file, whatever its suffix; a folder, for the pictures in it and in its folders, sorted; or a pattern
    (``scans/*.jpg``, ``**/*.png``), for the files and folders that it matches, sorted. What is hidden is left out of
    folders, and so is what lies in *leave_out*, where drawings go, unless that is the folder named or around it.

    Raises:
        DataError: a name stands for no picture.
    """
    found: dict[Path, Path] = {}
    for name in names:
        for path in _of(name, leave_out):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _of(name: str, leave_out: Path | None) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        pictures = _within(path, leave_out)
        if not pictures:
            raise DataError(f"{name}: no picture in this folder; {', '.join(sorted(SUFFIXES))} are looked for")
        return pictures
    if path.exists():
        return [path]
    if not glob.has_magic(name):
        raise DataError(f"{name}: there is no such file; a picture, a folder of pictures or a pattern is expected")
    matched = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
    pictures = [file for match in matched for file in (_within(match, leave_out) if match.is_dir() else [match])]
    if not pictures:
        raise DataError(f"{name}: matches no picture")
    return pictures


def _within(folder: Path, leave_out: Path | None) -> list[Path]:
    """Return the pictures in *folder* and its folders, sorted by their paths; a link to a folder is not followed."""
    away = leave_out.expanduser().resolve() if leave_out is not None else None
    if away is not None and folder.resolve().is_relative_to(away):
        away = None
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [each for each in folders if not each.startswith(".") and (here / each).resolve() != away]
        found += [here / file for file in files if not file.startswith(".") and Path(file).suffix.lower() in SUFFIXES]
    return sorted(found)


def drawings_of(pictures: Iterable[Path], folder: Path) -> list[Path]:
    """Return a PNG in *folder* for each picture: ``NAME.png``, and where that is taken ``NAME.jpg.png`` or
    ``NAME-2.png``, ``NAME-3.png``, ...; upper and lower case make no difference."""
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    found = []
    for picture in pictures:
        stem = picture.stem.lower()
        name = f"{picture.stem}.png" if f"{stem}.png" not in taken else f"{picture.name}.png"
        while name.lower() in taken:
            numbers[stem] = numbers.get(stem, 1) + 1
            name = f"{picture.stem}-{numbers[stem]}.png"
        taken.add(name.lower())
        found.append(folder / name)
    return found
