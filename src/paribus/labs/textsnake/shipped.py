"""The weights that come with Paribus, and a user's own: where they lie, and which they are. No torch."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from paribus.errors import DataError
from paribus.nn.networks.names import SUFFIX, file_digest


def shipped_path(name: str = "slim") -> Path:
    """Return where the weights called *name* lie within Paribus, or would lie."""
    return Path(str(files("paribus.labs.textsnake") / "weights" / f"{name}{SUFFIX}"))


def digest(name: str = "slim") -> str:
    """Return 16 hexadecimal digits of the shipped weights, or nothing where there are none."""
    path = shipped_path(name)
    return file_digest(path) if path.is_file() else ""


def path_of(weights: str | Path) -> Path:
    """Return the file that *weights* stands for: a shipped name, which has no folder and no suffix, or a path.

    Raises:
        DataError: nothing of that name is shipped, or there is no such file.
    """
    if isinstance(weights, str) and not weights.endswith(SUFFIX) and Path(weights).name == weights:
        path = shipped_path(weights)
        if not path.is_file():
            known = [f"{file.stem}, or " for file in sorted(shipped_path().parent.glob(f"*{SUFFIX}"))]
            raise DataError(f"no detector {weights!r}; {''.join(known)}the path of a {SUFFIX} file is expected")
        return path
    path = Path(weights).expanduser()
    if not path.is_file():
        raise DataError(f"{path}: no such file of weights; a {SUFFIX} file of this lab is expected")
    return path
