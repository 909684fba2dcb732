"""The grammar of an experiment's name: a lab, then changes, divided by slashes."""

from __future__ import annotations

BY_HAND = ("compare", "ablate")
"""The topics of studies that the command line makes: ``svhn.compare``."""


def split(name: str) -> tuple[str, tuple[str, ...]]:
    """Split an experiment's name into its lab and the changes' segments; a file's path may hold slashes of its own."""
    segments = name.strip().split("/")
    for end, segment in enumerate(segments, start=1):
        if segment.endswith(".py"):
            return "/".join(segments[:end]), tuple(segments[end:])
    return segments[0], tuple(segments[1:])
