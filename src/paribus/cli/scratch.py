"""Where a verb keeps what an interruption leaves of a job on a user's own pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from paribus.data.pictures import Picture
from paribus.spec.lab import Lab


def scratch_of(lab: Lab, asked: object, pictures: Iterable[Picture], *, seed: int, device: str) -> Path:
    """Return the folder of a job: another where what decides its result is another, the lab's code included.

    Args:
        lab: whose job it is.
        asked: the configuration and what else was chosen, of values that configurations may hold.
        pictures: what it is made of.
        seed: of the random streams.
        device: where it computes.
    """
    import platformdirs

    from paribus.spec.experiment import plain
    from paribus.spec.source import digest

    digested = hashlib.sha256(f"{plain(asked)}\n{seed}\n{device}\n{digest(lab)}\n".encode())
    for picture in pictures:
        digested.update(f"{picture.shape}\n".encode() + picture.tobytes())
    return platformdirs.user_cache_path("paribus") / lab.name / digested.hexdigest()[:16]
