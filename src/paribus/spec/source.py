"""A digest of the code that decides a lab's results: results of different code are never mixed.

The digest reads the syntax tree, so comments, layout and docstrings do not count; anything else does.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from paribus.spec.lab import Lab


@cache
def digest(lab: Lab) -> str:
    """Return 12 hexadecimal digits over the files of *lab* and the parts of Paribus that its labs share."""
    package = Path(__file__).resolve().parent.parent
    shared = [package / "nn", package / "data", package / "train"] if _shares(lab, package) else []
    files: list[Path] = [package / "spec" / "seed.py"]
    for place in (*lab.source, *shared):
        files.extend(sorted(place.rglob("*.py")) if place.is_dir() else [place])
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name}\n{_meaning(file.read_bytes())}\n".encode())
    return whole.hexdigest()[:12]


def _shares(lab: Lab, package: Path) -> bool:
    """Whether the lab is one of Paribus's own, or a user's that may import the shared parts."""
    return any(package in place.parents or b"paribus." in place.read_bytes() for place in lab.source if place.is_file()) or any(
        package in place.parents for place in lab.source
    )


def _meaning(source: bytes) -> str:
    """Return the dump of the syntax tree of *source* without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                node.body = body[1:]
    return ast.dump(tree)
