"""A digest of the code that decides a lab's results: results of different code are never mixed.

The digest reads the syntax tree. Comments, layout and strings that stand alone, docstrings and the sentences under
fields, do not count; anything else does, words that are arguments (``doc="..."``) too. Imports are followed, wherever
in a file they stand: into the parts of Paribus that labs share, and from a user's file to the modules beside it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from paribus.errors import ConfigError
from paribus.spec.lab import Lab

_PARIBUS = Path(__file__).resolve().parent.parent
_SHARED = tuple(_PARIBUS / part for part in ("nn", "data", "train"))


def digest(lab: Lab) -> str:
    """Return 16 hexadecimal digits: eight over the lab's own files, eight over what they use of Paribus.

    Used is what the files import of ``paribus.nn``, ``data``, ``train`` and ``spec.seed``, and what that imports in
    turn. A part of Paribus that is added for another lab leaves this lab's results as they are.
    """
    first = frozenset(used for file in _own_files(lab) for used in _imported_of_paribus(file))
    return own_digest(lab) + _shared_digest(first)


def own_digest(lab: Lab) -> str:
    """Return eight hexadecimal digits over the files of *lab* and what else decides its data.

    A user's file comes with the modules that it imports from its own folder, and those that they import. It is read
    anew at each call, as its code is; of an installed lab, whose code Python keeps, the digest is kept too, as it was
    when this process first asked.
    """
    editions = tuple(lab.data_editions()) if lab.data_editions is not None else ()
    if lab.name.endswith(".py"):
        return _digest(_own_files(lab), editions)
    return _kept_digest(lab.source, editions)


def _own_files(lab: Lab) -> tuple[Path, ...]:
    """The files of *lab*, those that it names first, then the neighbours that they use."""
    files = _listed(lab.source)
    if not lab.name.endswith(".py"):
        return files
    neighbours: set[Path] = set()
    for folder in sorted({file.parent for file in files}):
        neighbours |= _closure((file for file in files if file.parent == folder), _neighbours_in(folder))
    return (*files, *sorted(neighbours - set(files)))


@cache
def _kept_digest(places: tuple[Path, ...], editions: tuple[str, ...]) -> str:
    return _digest(_listed(places), editions)


@cache
def _shared_digest(first: frozenset[Path]) -> str:
    used = _closure(first, _imported_of_paribus) | first | {_PARIBUS / "spec" / "seed.py"}
    return _digest(sorted(used))


def _closure(first: Iterable[Path], imported: Callable[[Path], Iterable[Path]]) -> set[Path]:
    """Return what the files of *first* import, and what that imports in turn."""
    found: set[Path] = set()
    unread = list(first)
    while unread:
        more = set(imported(unread.pop())) - found
        found |= more
        unread += more
    return found


def _imported_of_paribus(file: Path) -> Iterator[Path]:
    """Yield the files of nn, data and train that *file* imports."""
    for _, parts in _read(file).imports:
        if parts[0] == "paribus":
            for found in _resolved(_PARIBUS.parent, parts):
                if any(shared in found.parents for shared in _SHARED):
                    yield found


def _neighbours_in(folder: Path) -> Callable[[Path], Iterator[Path]]:
    """Return a function that yields what a file imports from *folder*, absolutely or relatively."""

    def imported(file: Path) -> Iterator[Path]:
        for level, parts in _read(file).imports:
            root = folder if level == 0 else file.parents[level - 1]
            if root == folder or folder in root.parents:
                yield from _resolved(root, parts)

    return imported


def _resolved(root: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files that importing the module *parts* under *root* runs: those of its packages, and its own."""
    for depth in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:depth])
        yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def _listed(places: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place]))


def _digest(files: Iterable[Path], editions: tuple[str, ...] = ()) -> str:
    whole = hashlib.sha256("".join(f"{edition}\n" for edition in editions).encode())
    for file in files:
        whole.update(f"{file.name}\n{_read(file).meaning}\n".encode())
    return whole.hexdigest()[:8]


@dataclass(frozen=True)
class _Code:
    """What a file means, without strings that stand alone, and what it imports: (level, parts of the name)."""

    meaning: str
    imports: tuple[tuple[int, tuple[str, ...]], ...]


def _read(file: Path) -> _Code:
    return _parsed(file.read_bytes(), str(file))


@cache
def _parsed(source: bytes, name: str) -> _Code:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ConfigError(f"{name}, line {error.lineno}: {error.msg}") from None
    imports = tuple(_imports(tree))
    return _Code(ast.dump(_WithoutBareStrings().visit(tree)), imports)


def _imports(tree: ast.AST) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield for each name that is imported the dots before it and the parts of the module, or what may be one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, tuple(alias.name.split("."))) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            before = tuple(node.module.split(".")) if node.module else ()
            yield from ((node.level, (*before, alias.name)) for alias in node.names)


class _WithoutBareStrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        bare = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if bare else node
