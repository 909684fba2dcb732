"""The exceptions that Paribus raises on purpose: each message is one line for a person.

A message says what is wrong, where, and what would be right. The command line prints it after ``error:`` and exits
with ``exit_code``; anything that is not a :class:`ParibusError` is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ParibusError(Exception):
    """Any error that a user can cause or mend; ``exit_code`` is what the command line returns for it."""

    exit_code = 2


class UnknownName(ParibusError):  # noqa: N818 - it reads as what it says
    """A name that no lab, study, change or experiment answers to."""


class ChangeError(ParibusError):
    """A change that does not apply: its field does not exist or does not hold the value that it expects."""


class ConfigError(ParibusError):
    """A lab, study or configuration that contradicts itself."""


class DataError(ParibusError):
    """Data that is missing, broken, out of range or not what its format promises."""


class StoreError(ParibusError):
    """A store that cannot be read or written, is locked, or comes from a newer version."""


class DiskFull(StoreError):  # noqa: N818 - it reads as what it says
    """A disk that took no more while a study ran: nothing was wrong with what was asked."""

    exit_code = 1


class RunError(ParibusError):
    """A run that could not be completed."""

    exit_code = 1


def suggest(wrong: str, known: Iterable[str], *, count: int = 3) -> str:
    """Return `` — did you mean 'x'?`` for the known words nearest to *wrong*, or the known ones where none is near."""
    options = list(known)
    small = {word.lower(): word for word in options}
    near = [small[word] for word in difflib.get_close_matches(wrong.lower(), small, n=count, cutoff=0.55)]
    near = near or [word for word in options if len(wrong) > 1 and word.startswith(wrong)][:count]
    if near:
        return f" — did you mean {' or '.join(repr(word) for word in near)}?"
    if options:
        listed = ", ".join(sorted(options)[:12])
        return f"; there is: {listed}{', ...' if len(options) > 12 else ''}"
    return ""
