"""Trained detectors as files: the one that comes with Paribus, by name, and a user's own, by path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch

from paribus.errors import DataError, ParibusError
from paribus.labs.textsnake.experiments import Network
from paribus.labs.textsnake.model import TextSnake
from paribus.labs.textsnake.shipped import path_of
from paribus.labs.textsnake.training import frozen
from paribus.nn.initial import untouched_rng
from paribus.nn.networks.embed import checked, record, save_embedded

KIND = "a TextSnake detector"


def save_weights(path: Path, model: TextSnake, known: Mapping[str, Any]) -> None:
    """Write *model* in float16 to *path*, with *known* (JSON values) and what is needed to build it again."""
    checked(path).parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    save_embedded(path, weights, {**known, "kind": KIND, "network": asdict(model.network)})


def load_weights(weights: str | Path) -> TextSnake:
    """Return the detector that *weights* names: ``slim``, which comes with Paribus, or the path of a file.

    Raises:
        DataError: there is none, or the file holds something else.
    """
    path = path_of(weights)
    found = record(path)
    if found.get("kind") != KIND:
        raise DataError(f"{path}: holds {found.get('kind', 'weights of another program')}, not {KIND}")
    try:
        network = Network(**{**found["network"], "merge": tuple(found["network"]["merge"])})
        with untouched_rng():
            model = TextSnake(network, download=False)
        tensors = {name: tensor.float() for name, tensor in safetensors.torch.load_file(path).items()}
        missing, surplus = model.load_state_dict(tensors, strict=False)
    except KeyError as error:
        raise DataError(f"{path}: says that it is {KIND}, but its record lacks {error}") from None
    except (ParibusError, ArithmeticError, RuntimeError, TypeError, ValueError, safetensors.SafetensorError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{path}: says that it is {KIND}, but its network or weights are others ({reason})") from None
    odd = [*surplus, *(name for name in missing if not name.endswith("num_batches_tracked"))]
    if odd:
        raise DataError(f"{path}: says that it is {KIND}, but its weights are others (as {odd[0]})")
    return frozen(model)
