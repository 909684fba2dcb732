"""Variables of a MATLAB file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import scipy.io
from numpy.typing import NDArray

from paribus.errors import DataError


def load_variables(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Return those variables of a MATLAB file, version 7 or earlier, that are among *names*; the rest is not read.

    Raises:
        DataError: it cannot be read, or has none of them.
    """
    try:
        found = scipy.io.loadmat(str(path), variable_names=list(names))
        here = [name for name, _, _ in scipy.io.whosmat(str(path))]
    except Exception as error:  # a broken file makes the parser fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: not a MATLAB file that can be read ({reason}); version 7 is expected") from None
    result = {name: found[name] for name in names if name in found}
    if not result:
        raise DataError(f"{path}: no variable {' or '.join(names)}; it has {', '.join(here) or 'none'}")
    return result


def load_variable(path: Path, *names: str) -> NDArray[Any]:
    """Return the first of *names* that a MATLAB file has, as :func:`load_variables` does."""
    return next(iter(load_variables(path, *names).values()))
