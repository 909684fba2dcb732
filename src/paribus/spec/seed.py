"""Named random streams: the whole of Paribus's randomness.

A stream is addressed by a seed and a name such as ``order``, ``init/conv1.weight`` or ``augment/step=12``. Its numbers
depend on these two alone, so a change that adds or removes draws in one stream leaves every other stream as it was:
two arms of one seed share the initial value of each parameter that both have, the order of the data and the noise.

The key is the first 128 bits of SHA-256 over the seed and the name, given to the counter-based generator Philox
(Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): streams are independent for all practical
purposes and identical on every machine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


def stream_key(seed: int, name: str) -> int:
    """Return the 128-bit key of stream *name* under *seed*."""
    digest = hashlib.sha256(f"paribus-stream\x00{int(seed)}\x00{name}".encode()).digest()
    return int.from_bytes(digest[:16], "little")


@dataclass(frozen=True)
class Streams:
    """The random streams of one seed.

    >>> streams = Streams(7)
    >>> bool((streams.generator("order").random(3) == streams.generator("order").random(3)).all())
    True
    """

    seed: int

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh NumPy generator at the start of stream *name*."""
        return np.random.Generator(np.random.Philox(key=stream_key(self.seed, name)))

    def integer(self, name: str) -> int:
        """Return the stream's key as an integer in [0, 2^63): a seed for a generator of another library."""
        return stream_key(self.seed, name) & (2**63 - 1)
