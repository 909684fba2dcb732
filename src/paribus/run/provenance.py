"""Where a result comes from: versions, commit, hardware. Recorded with every trial, shown in every report."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("paribus", "torch", "torchvision", "numpy", "scipy", "opencv-python-headless", "scikit-learn")

COVERED = ("code", "paribus", "paribus_commit")
"""What tells one state of the code from another: a trial's identity has the digest of the code that decides it."""


def apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields in which two environments differ, save those that the digest of the code covers."""
    fields = dict.fromkeys((*one, *other))
    return tuple(name for name in fields if name not in COVERED and one.get(name) != other.get(name))


def environment(*, device: str, threads: int, code: str) -> dict[str, str | int | float]:
    """Return what a reader needs to judge or repeat a number that was measured here."""
    found: dict[str, str | int | float] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "device": _accelerator(device),
        "threads_per_trial": threads,
        "code": code,
        "paribus_commit": _commit(),
    }
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _accelerator(device: str) -> str:
    """*device* with the accelerator's own name; torch is loaded only where one is used."""
    if device.startswith("cuda"):
        import torch

        return f"{device} ({torch.cuda.get_device_name(torch.device(device))})"
    return device


def _commit() -> str:
    """The commit of Paribus itself, with ``+`` where it has changes that are not committed; empty outside git."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if commit and git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.TimeoutExpired):
        return ""
