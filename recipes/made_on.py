"""What every recipe writes into the record of its weights: on what machine, with which torch, and when."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

import torch


def made_on(threads: int) -> dict[str, object]:
    """Return threads, machine, torch's version and today's date."""
    return {
        "threads": threads,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
