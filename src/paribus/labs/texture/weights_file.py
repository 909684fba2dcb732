"""Trained feed-forward networks as files: those that come with Paribus, by name, and a user's own, by path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch

from paribus.errors import DataError
from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator
from paribus.nn.networks.embed import checked, record, save_embedded
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.nn.networks.names import SUFFIX, Fixed
from paribus.spec.seed import Streams

Model = TypeVar("Model", Generator, StyleNetwork, Decoder)
WORDS: dict[type, str] = {
    Generator: "a texture network",
    StyleNetwork: "a style network",
    Decoder: "an AdaIN decoder",
}
_PREFIX: dict[type, str] = {Generator: "texture", StyleNetwork: "style", Decoder: "adain"}


def shipped(kind: type) -> tuple[str, ...]:
    """Return the names of the networks of *kind* (Generator, StyleNetwork or Decoder) that come with Paribus."""
    prefix = f"{_PREFIX[kind]}_"
    return tuple(
        sorted(path.stem.removeprefix(prefix) for path in _folder().glob(f"{prefix}*{SUFFIX}") if path.is_file())
    )


def shipped_path(kind: type, name: str) -> Path:
    """Return where the network of *kind* called *name* lies within Paribus, or would lie."""
    return _folder() / f"{_PREFIX[kind]}_{name}{SUFFIX}"


def save_weights(path: Path, model: Generator | StyleNetwork | Decoder, known: Mapping[str, Any]) -> None:
    """Write *model* in float16 to *path*, with *known* (JSON values) and what is needed to build it again."""
    checked(path).parent.mkdir(parents=True, exist_ok=True)
    whole = {**known, "kind": WORDS[type(model)], "architecture": _architecture(model)}
    save_embedded(path, model.state_dict(), whole)


def load_weights(kind: type[Model], weights: str | Path) -> Model:
    """Return the network of *kind* that *weights* names: one of :func:`shipped`, or the path of a file.

    Raises:
        DataError: there is none, or the file holds something else.
    """
    path = weights_path(kind, weights)
    found = record(path)
    if found.get("kind") != WORDS[kind]:
        raise DataError(f"{path}: holds {found.get('kind', 'weights of another program')}, not {WORDS[kind]}")
    model = kind(**found["architecture"])
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in safetensors.torch.load_file(path).items()})
    except RuntimeError as error:
        raise DataError(f"{path}: says that it is {WORDS[kind]}, but its weights are others") from error
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval().to(memory_format=torch.channels_last)


def encoder_of(weights: str | Path) -> Layered:
    """Return the fixed network for which the AdaIN decoder *weights*, a name or a path, was trained."""
    path = weights_path(Decoder, weights)
    match record(path).get("encoder"):
        case [str() as name, str() as trained]:
            return load(Fixed(name=name, weights=trained), Streams(0))
    raise DataError(f"{path}: does not say for which network it was trained")


def weights_path(kind: type, weights: str | Path) -> Path:
    """Return the file of the network of *kind* that *weights* names: one of :func:`shipped`, or a path."""
    if isinstance(weights, str) and not weights.endswith(SUFFIX):
        names = shipped(kind)
        if weights not in names:
            known = f"one of {', '.join(names)}, or " if names else ""
            raise DataError(
                f"{weights!r} names no {WORDS[kind].split(maxsplit=1)[1]}; "
                f"{known}the path of a {SUFFIX} file is expected"
            )
        return shipped_path(kind, weights)
    return Path(weights).expanduser()


@cache
def _folder() -> Path:
    return Path(str(files("paribus.labs.texture") / "weights"))


def _architecture(model: Generator | StyleNetwork | Decoder) -> dict[str, int]:
    match model:
        case Generator():
            return {"width": model.width, "levels": model.levels}
        case StyleNetwork():
            return {"width": model.width, "blocks": model.blocks}
        case Decoder():
            return {"group": model.group}
