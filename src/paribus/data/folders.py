"""Where data lives."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_root() -> Path:
    """Return the folder of all data sets: ``$PARIBUS_DATA``, or ``data`` in the user's data folder of Paribus.

    Where the variable is set, the store that has no other place lies in that folder too.
    """
    given = os.environ.get("PARIBUS_DATA")
    return Path(given).expanduser() if given else platformdirs.user_data_path("paribus") / "data"
