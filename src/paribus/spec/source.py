"""A digest of the code that decides a lab's results: results of different code are never mixed.

The digest reads the syntax tree. Comments, layout and strings that stand alone, docstrings and the sentences under
fields, do not count; anything else does, words that are arguments (``doc="..."``) too.
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
def _shared_digest() -> str:
    package = Path(__file__).resolve().parent.parent
    return _digest((*(package / part for part in ("nn", "data", "train")), package / "spec" / "seed.py"))


def _digest(places: tuple[Path, ...], editions: tuple[str, ...] = ()) -> str:
    whole = hashlib.sha256("".join(f"{edition}\n" for edition in editions).encode())
    for place in places:
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            whole.update(f"{file.name}\n{_meaning(file.read_bytes())}\n".encode())
    return whole.hexdigest()[:8]


def _meaning(source: bytes) -> str:
    """Return the dump of the syntax tree of *source* without strings that stand alone."""
    return ast.dump(_WithoutBareStrings().visit(ast.parse(source)))


class _WithoutBareStrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        bare = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if bare else node
