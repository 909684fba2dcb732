"""Fixed networks, ready to measure images: embedded, torchvision's, with random weights, or from a file."""

from __future__ import annotations

import contextlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from paribus.errors import ConfigError, DataError, RunError
from paribus.nn.initial import initialise, untouched_rng
from paribus.nn.networks.embed import record
from paribus.nn.networks.layered import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    VGG_NAMES,
    Layered,
    resnet_stages,
    small_resnet_stages,
    small_vgg_stages,
    vgg_stages,
    without_inplace,
)
from paribus.nn.networks.names import NETWORKS, Fixed, embedded_path, file_digest
from paribus.spec.seed import Streams

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""The classes of CIFAR-10 (Krizhevsky 2009), in its order."""
CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR10_STD = (0.2470, 0.2435, 0.2616)
"""Mean and standard deviation of the channels of CIFAR-10's training images, of values in [0, 1]."""
IMAGENET_CLASSES = 1000
SMALL: dict[str, Callable[[int, bool], OrderedDict[str, nn.Module]]] = {
    "small_vgg": small_vgg_stages,
    "small_resnet": small_resnet_stages,
    "small_plain": partial(small_resnet_stages, shortcut=False),
}
"""The architectures of which weights come with Paribus."""
_COUNTER = "num_batches_tracked"
"""Of batch norm, which older files lack: it says nothing in evaluation mode."""


def load(fixed: Fixed, streams: Streams) -> Layered:
    """Return the network that *fixed* names, in evaluation mode, its parameters without gradients.

    Args:
        fixed: architecture and weights.
        streams: where random weights are drawn: N(0, 2 / fan_in) for convolutions, from ``init/<parameter name>``.

    Raises:
        DataError: where weights cannot be downloaded, or a file of weights is not there or not of this network.
    """
    with untouched_rng():
        network = _embedded_kind(fixed) if fixed.name in SMALL else _torchvision_kind(fixed)
    if fixed.weights == "random":
        initialise(network.stages, streams)
    elif fixed.weights not in NETWORKS[fixed.name]:
        _fill(network, _read(fixed.weights), fixed)
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network.to(memory_format=torch.channels_last)


def small(name: str, *, batch_norm: bool = False, in_words: str = "") -> Layered:
    """Return an architecture of SMALL for CIFAR-10, without weights; with *batch_norm* as it is trained."""
    stages = SMALL[name](len(CIFAR10), batch_norm)
    return Layered(stages, classes=CIFAR10, size=32, mean=CIFAR10_MEAN, std=CIFAR10_STD, in_words=in_words)


def _embedded_kind(fixed: Fixed) -> Layered:
    if fixed.embedded:
        path = embedded_path(fixed)
        network = small(fixed.name, in_words=record(path)["in_words"])
        saved = safetensors.torch.load_file(path)
        network.stages.load_state_dict({name: tensor.float() for name, tensor in saved.items()})
        return network
    how = "random weights" if fixed.weights == "random" else f"the weights of {fixed.weights}"
    return small(fixed.name, in_words=f"{fixed.name} with {how}")


def _torchvision_kind(fixed: Fixed) -> Layered:
    import torchvision

    weights, classes = None, tuple(str(place) for place in range(IMAGENET_CLASSES))
    if fixed.weights == "imagenet":
        weights = torchvision.models.get_model_weights(fixed.name).DEFAULT
        classes = tuple(weights.meta["categories"])
    try:
        with contextlib.redirect_stdout(_WithoutLine(sys.stderr, "Downloading: ")):
            raw = without_inplace(torchvision.models.get_model(fixed.name, weights=weights))
    except (URLError, OSError, RuntimeError) as error:
        raise RunError(
            f"the ImageNet weights of {fixed.name} could not be downloaded ({error}); take small_vgg, which needs "
            f"no download, or give a file of weights"
        ) from error
    base = fixed.name.removesuffix("_bn")
    stages = vgg_stages(raw, VGG_NAMES[base]) if base in VGG_NAMES else resnet_stages(raw)
    source = {"imagenet": f"trained on ImageNet (torchvision, {weights})", "random": "with random weights"}
    network = Layered(
        stages,
        classes=classes,
        size=224,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        in_words=f"{fixed.name} {source.get(fixed.weights, f'with the weights of {fixed.weights}')}",
    )
    object.__setattr__(network, "raw", raw)  # whose names a file of weights has
    return network


def _read(weights: str) -> Mapping[str, Tensor]:
    name, _, digest = weights.partition("#")
    path = Path(name).expanduser()
    if not path.is_file():
        raise DataError(f"{path}: no such file of weights")
    if digest and file_digest(path) != digest:
        raise DataError(f"{path}: the file has changed since the experiment was named; name it again")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(f"{path}: not a file of weights that can be read ({type(error).__name__})") from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise DataError(f"{path}: holds no table of named weights")
    return found


def _fill(network: Layered, weights: Mapping[str, Tensor], fixed: Fixed) -> None:
    module: nn.Module = getattr(network, "raw", network.stages)
    own = module.state_dict()
    amiss = {
        "missing": [name for name in own if name not in weights and not name.endswith(_COUNTER)],
        "unexpected": [name for name in weights if name not in own],
        "of another shape": [name for name in own if name in weights and own[name].shape != weights[name].shape],
    }
    told = [f"{len(names)} {what} ({names[0]}{', ...' * (len(names) > 1)})" for what, names in amiss.items() if names]
    if told:
        where = fixed.weights.partition("#")[0]
        raise ConfigError(f"{where}: not the weights of {fixed.name}: of {len(own)} tensors {', '.join(told)}")
    module.load_state_dict(OrderedDict((name, tensor.float()) for name, tensor in weights.items()), strict=False)


class _WithoutLine:
    """A stream that leaves out the text that begins so: torch names a download's address, on standard output.

    Where the download fails the error says so, in one line; while it goes on torch's progress bar says so.
    """

    def __init__(self, stream: Any, beginning: str) -> None:
        self._stream, self._beginning = stream, beginning

    def write(self, text: str) -> int:
        """Write *text* unless it begins so."""
        written: int = len(text) if text.startswith(self._beginning) else self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
