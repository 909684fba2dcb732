"""Which pictures a command line names, and what a drawing of each is called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from paribus.data.image_folder import SUFFIXES
from paribus.errors import DataError


def pictures_named(names: Sequence[str], *, leave_out: Path | None = None) -> tuple[list[Path], list[str]]:
    """Return the pictures that *names* stand for, each once, in the order of the names, and what is wrong with others.

    A name is a file, whatever its suffix; a folder, for the pictures in it and in its folders, sorted; or a pattern
    (``scans/*.jpg``, ``**/*.png``), for the files and folders that it matches, sorted. What there is already is taken
    at its word: of ``a[1]/*.png`` the brackets are no pattern where there is a folder ``a[1]``. What is hidden is left
    out of folders, and so is what lies in *leave_out*, where drawings go, unless that is the folder named or around it.

    Raises:
        DataError: none of the names stands for a picture.
    """
    found: dict[Path, Path] = {}
    wrong: list[str] = []
    for name in names:
        try:
            pictures = _of(name, leave_out)
        except DataError as error:
            wrong.append(str(error))
            continue
        for path in pictures:
            found.setdefault(Path(os.path.realpath(path)), path)  # a link that leads to itself stays what it is
    if not found and wrong:
        raise DataError(wrong[0] + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
    return list(found.values()), wrong


def _of(name: str, leave_out: Path | None) -> list[Path]:
    path = Path(os.path.expanduser(name))
    if os.path.isdir(path):
        pictures = _within(path, leave_out)
        if not pictures:
            raise DataError(f"{name}: no picture in this folder; {', '.join(sorted(SUFFIXES))} are looked for")
        return pictures
    if os.path.exists(path):
        return [path]
    if os.path.islink(path):
        raise DataError(f"{name}: a link to what is not there; a link to a picture is expected")
    if not glob.has_magic(name):
        raise DataError(f"{name}: there is no such file; a picture, a folder of pictures or a pattern is expected")
    place = next((parent for parent in path.parents if os.path.isdir(parent)), Path())
    pattern = os.path.join(glob.escape(str(place)), path.relative_to(place))
    matched = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]
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
