"""A digest of the code that decides a lab's results: results of different code are never mixed.

The digest reads the syntax tree. Comments, layout and strings that stand alone, docstrings and the sentences under
fields, do not count; anything else does, words that are arguments (``doc="..."``) too.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from paribus.spec.lab import Lab


def digest(lab: Lab) -> str:
    """Return 16 hexadecimal digits: eight over the lab's own files, eight over what they use of Paribus.

    Used is what the files import of ``paribus.nn``, ``data``, ``train`` and ``spec.seed``, and what that imports in
    turn. A part of Paribus that is added for another lab leaves this lab's results as they are.
    """
    first = frozenset(used for place in lab.source for file in _files(place) for used in _imported(file))
    return own_digest(lab) + _shared_digest(first)


def own_digest(lab: Lab) -> str:
    """Return eight hexadecimal digits over the files of *lab* and what else decides its data.

    A file lab is read anew at each call, as its code is; of an installed lab, whose code Python keeps, the digest is
    kept too, as it was when this process first asked.
    """
    editions = tuple(lab.data_editions()) if lab.data_editions is not None else ()
    digest = _digest if lab.name.endswith(".py") else _kept_digest
    return digest(lab.source, editions)


@cache
def _kept_digest(places: tuple[Path, ...], editions: tuple[str, ...]) -> str:
    return _digest(places, editions)


@cache
def _shared_digest(first: frozenset[Path]) -> str:
    used = {*first, _SHARED / "spec" / "seed.py"}
    unread = list(first)
    while unread:
        found = set(_imported(unread.pop())) - used
        used |= found
        unread += found
    return _digest(tuple(sorted(used)))


_SHARED = Path(__file__).resolve().parent.parent


def _imported(file: Path) -> Iterator[Path]:
    """Yield the files of nn, data and train that *file* imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "paribus" and len(parts) > 1 and parts[1] in ("nn", "data", "train"):
                for depth in range(2, len(parts) + 1):  # a package's own file runs too
                    place = _SHARED.joinpath(*parts[1:depth])
                    yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _digest(places: tuple[Path, ...], editions: tuple[str, ...] = ()) -> str:
    whole = hashlib.sha256("".join(f"{edition}\n" for edition in editions).encode())
    for place in places:
        for file in _files(place):
            whole.update(f"{file.name}\n{_meaning(file.read_bytes())}\n".encode())
    return whole.hexdigest()[:8]


def _meaning(source: bytes) -> str:
    """Return the dump of the syntax tree of *source* without strings that stand alone."""
    return ast.dump(_WithoutBareStrings().visit(ast.parse(source)))


class _WithoutBareStrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        bare = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if bare else node
