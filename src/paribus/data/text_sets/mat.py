"""One variable of a MATLAB file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import scipy.io
from numpy.typing import NDArray

from paribus.errors import DataError


def load_variable(path: Path, *names: str) -> NDArray[Any]:
    """Return the first of *names* that a MATLAB file, version 7 or earlier, has; nothing else of it is read.

    Raises:
        DataError: it cannot be read, or has none of them.
    """
    try:
        found = scipy.io.loadmat(str(path), variable_names=list(names))
        here = [] if found.keys() & set(names) else [name for name, _, _ in scipy.io.whosmat(str(path))]
    except Exception as error:  # a broken file makes the parser fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not a MATLAB file that can be read ({reason}); version 7 is expected") from None
    for name in names:
        if name in found:
            variable: NDArray[Any] = found[name]
            return variable
    raise DataError(f"{path}: no variable {' or '.join(names)}; it has {', '.join(here) or 'none'}")
