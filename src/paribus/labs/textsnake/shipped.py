"""The weights that come with Paribus: where they lie, and which they are. No torch."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from paribus.nn.networks.names import SUFFIX, file_digest


def shipped_path(name: str = "slim") -> Path:
    """Return where the weights called *name* lie within Paribus, or would lie."""
    return Path(str(files("paribus.labs.textsnake") / "weights" / f"{name}{SUFFIX}"))


def digest(name: str = "slim") -> str:
    """Return 16 hexadecimal digits of the shipped weights, or nothing where there are none."""
    path = shipped_path(name)
    return file_digest(path) if path.is_file() else ""
