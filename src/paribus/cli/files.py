"""Where the files go that a command writes for the user, known to be writable before hours are spent."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from paribus.errors import ParibusError
from paribus.spec.name import split
from paribus.spec.study import Study


class FileError(ParibusError):
    """A file that cannot be written where the user wants it."""


def default_page(study: Study, base: str | None = None) -> Path:
    """Return where the page of *study* goes, in ``reports`` under the user's folder; on a *base* another file."""
    name = Path(study.name).name.replace(".py.", ".")
    if base is not None:
        name += f"-on-{base}"
    return _page(name)


def page_by_hand(study: Study) -> Path:
    """Return where the page of a comparison given by hand goes: its name tells the experiments, as far as they fit.

    A digest of what is asked keeps pages apart whose names are shortened to the same.
    """
    asked = "\n".join((*study.names, study.metric, study.direction, str(study.margin), str(study.alpha)))
    digest = hashlib.sha256(asked.encode()).hexdigest()[:6]
    told = "-".join("+".join(split(name)[1]) for name in study.names)
    name = Path(study.name).name.replace(".py.", ".")
    return _page(f"{_plain(f'{name}-{told}')[:60]}-{digest}")


def _page(name: str) -> Path:
    return Path("reports") / f"{_plain(name)}.html"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._=+-]+", "_", name)


def keep_apart(read: Iterable[Path], written: Mapping[str, Path | None]) -> None:
    """Refuse outputs, by the option that names them, that would overwrite what is read or one another."""
    sources = {path.expanduser().resolve() for path in read}
    taken: dict[Path, str] = {}
    for option, path in written.items():
        if path is None:
            continue
        place = path.expanduser().resolve()
        if place in sources:
            raise FileError(f"{option} {path}: it would overwrite the picture; give another name")
        if place in taken:
            raise FileError(f"{taken[place]} and {option} are the same file, {path}; give two names")
        taken[place] = option


def prepare(path: Path, option: str, *, suffix: str = "") -> Path:
    """Return *path* after making its folder; refuse it where a file could not be written there.

    Args:
        path: the file to be.
        option: the option that names another place, for the message.
        suffix: how the name has to end, in letters of either case: what is written is in no other format.
    """
    path = path.expanduser()
    if suffix and path.suffix.lower() != suffix and not path.is_dir():
        raise FileError(f"{option} {path}: what is written is a {suffix} file; give a name that ends in {suffix}")
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder: name a file in it with {option}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not os.access(path, os.W_OK):
            raise FileError(f"cannot write {path}: name another file with {option}")
        with tempfile.TemporaryFile(dir=path.parent):  # to ask for permission is not enough: some folders take no file
            pass
    except OSError as error:
        raise FileError(f"cannot write {path} ({error.strerror}): name another file with {option}") from None
    return path
