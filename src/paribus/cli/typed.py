"""The command that gives a report's results: as it was typed, or as it must be typed to have them again."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paribus.gather import Results


def typed() -> list[str]:
    """Return the words of this process's command."""
    return ["paribus", *(without_password(word) for word in sys.argv[1:])]


def repeating(study: str, results: Results) -> list[str]:
    """Return the words of the command that gives *results* of *study* again, whatever the store holds."""
    command = ["paribus", "run", study]
    if results.base is not None:
        command += ["--base", results.base]
    if results.max_seeds is not None:
        command += ["--until-decided", "--max-seeds", str(results.max_seeds)]
    else:
        command += ["--seeds", str(max(results.counts.values()))]
    devices = {conditions.device for conditions in results.conditions.values()} - {"cpu"}
    return command + [word for device in sorted(devices) for word in ("--device", device)]


def without_password(word: str) -> str:
    """Return *word* with the password of a URL in it taken out: a report is no place for one."""
    return re.sub(r"(://[^/:@]*):[^/]*@", r"\1@", word)
