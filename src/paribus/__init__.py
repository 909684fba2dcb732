"""Paribus: *I changed one thing. Did it help?* Controlled experiments in deep learning, with honest verdicts.

The public names are loaded when they are first used, so ``import paribus`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paribus import textsnake as textsnake
    from paribus.analysis import Comparison as Comparison
    from paribus.analysis import Sequential as Sequential
    from paribus.analysis import Verdict as Verdict
    from paribus.analysis import compare as compare
    from paribus.errors import ParibusError as ParibusError
    from paribus.flow import conduct as conduct
    from paribus.run.local import LocalRunner as LocalRunner
    from paribus.spec.change import Change as Change
    from paribus.spec.context import Context as Context
    from paribus.spec.context import Diverged as Diverged
    from paribus.spec.experiment import Experiment as Experiment
    from paribus.spec.lab import Lab as Lab
    from paribus.spec.registry import experiment as experiment
    from paribus.spec.registry import lab as lab
    from paribus.spec.registry import study as study
    from paribus.spec.seed import Streams as Streams
    from paribus.spec.study import Study as Study
    from paribus.store import Store as Store

__version__ = "0.1.0"

_HOMES = {
    "Change": "paribus.spec.change",
    "Comparison": "paribus.analysis",
    "Context": "paribus.spec.context",
    "Diverged": "paribus.spec.context",
    "Experiment": "paribus.spec.experiment",
    "Lab": "paribus.spec.lab",
    "LocalRunner": "paribus.run.local",
    "ParibusError": "paribus.errors",
    "Sequential": "paribus.analysis",
    "Store": "paribus.store",
    "Streams": "paribus.spec.seed",
    "Study": "paribus.spec.study",
    "Verdict": "paribus.analysis",
    "compare": "paribus.analysis",
    "conduct": "paribus.flow",
    "experiment": "paribus.spec.registry",
    "lab": "paribus.spec.registry",
    "study": "paribus.spec.registry",
}

_MODULES = {"textsnake": "paribus.textsnake"}

__all__ = ["__version__", *_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'paribus' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
