"""A digest of the code that decides a lab's results: results of different code are never mixed.

The digest reads the syntax tree, so comments, layout and docstrings do not count; anything else does.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from paribus.spec.lab import Lab


def digest(lab: Lab) -> str:
    """Return 16 hexadecimal digits: eight over the lab's own files, eight over what labs share of Paribus."""
    return own_digest(lab) + _shared_digest()


def own_digest(lab: Lab) -> str:
    """Return eight hexadecimal digits over the files of *lab*.

    A file lab is read anew at each call, as its code is; of an installed lab, whose code Python keeps, the digest is
    kept too, as it was when this process first asked.
    """
    return _digest(lab.source) if lab.name.endswith(".py") else _kept_digest(lab.source)


@cache
def _kept_digest(places: tuple[Path, ...]) -> str:
    return _digest(places)


@cache
def _shared_digest() -> str:
    package = Path(__file__).resolve().parent.parent
    return _digest((*(package / part for part in ("nn", "data", "train")), package / "spec" / "seed.py"))


def _digest(places: tuple[Path, ...]) -> str:
    whole = hashlib.sha256()
    for place in places:
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            whole.update(f"{file.name}\n{_meaning(file.read_bytes())}\n".encode())
    return whole.hexdigest()[:8]


def _meaning(source: bytes) -> str:
    """Return the dump of the syntax tree of *source* without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            node.body = node.body[documented:]
    return ast.dump(tree)
