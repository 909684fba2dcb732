"""Which examples a step sees: a stateless order, so that a resumed run goes on as if nothing had happened."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paribus.errors import ConfigError
from paribus.spec.seed import Streams


@dataclass
class Batches:
    """Shuffled batches of indices: pass K over the data is the permutation of stream ``order/epoch=K``.

    A pass holds only whole batches; the few examples left over differ from pass to pass. Where there are fewer examples
    than a batch holds, the batch is all of them.

    Args:
        examples: how many examples there are.
        size: how many a batch holds.
        streams: the trial's streams.
    """

    examples: int
    size: int
    streams: Streams
    _epoch: int = field(default=-1, init=False)
    _order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), init=False)

    def __post_init__(self) -> None:
        if self.examples < 1 or self.size < 1:
            raise ConfigError(
                f"batches need examples and a size; here {self.examples} examples, batches of {self.size}"
            )
        self.size = min(self.size, self.examples)

    def indices(self, step: int) -> NDArray[np.int64]:
        """Return the (size,) indices of step *step*."""
        epoch, place = divmod(step, self.examples // self.size)
        if epoch != self._epoch:
            self._order = self.streams.generator(f"order/epoch={epoch}").permutation(self.examples)
            self._epoch = epoch
        return self._order[place * self.size : (place + 1) * self.size]
