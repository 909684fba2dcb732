"""Which fixed network, as a value of a configuration: its architecture and where its weights are from. No torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from paribus.errors import ConfigError

SUFFIX = ".safetensors"
"""How the names of files of weights end that Paribus writes."""
EMBEDDED = {"small_vgg": ("cifar10", "cifar10_robust"), "small_resnet": ("cifar10",), "small_plain": ("cifar10",)}
"""The weights of each architecture that come with Paribus; see ``recipes/``."""
NETWORKS = {
    **{name: (*weights, "random") for name, weights in EMBEDDED.items()},
    "vgg16": ("imagenet", "random"),
    "vgg16_bn": ("imagenet", "random"),
    "vgg19": ("imagenet", "random"),
    "resnet18": ("imagenet", "random"),
    "resnet50": ("imagenet", "random"),
}
"""Architectures, with the weights each can have; a path of a file of weights is another choice in all of them."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A network that is not trained."""

    name: str = "small_vgg"
    """The architecture: one of NETWORKS."""
    weights: str = "cifar10"
    """``cifar10``, ``cifar10_robust`` (embedded), ``imagenet`` (torchvision's, downloaded), ``random``, or a file, as
    ``PATH`` or ``PATH#DIGEST``: with the digest a file that has changed is refused."""

    def __post_init__(self) -> None:
        if self.name not in NETWORKS:
            raise ConfigError(f"network {self.name!r} is unknown{_nearest(self.name)}")
        if self.weights not in NETWORKS[self.name] and not _is_path(self.weights):
            raise ConfigError(
                f"{self.name} has no weights {self.weights!r}; "
                f"{', '.join(NETWORKS[self.name])} or a path of a .safetensors or .pth file is expected"
            )

    @property
    def embedded(self) -> bool:
        """Whether the weights come with Paribus."""
        return self.weights in EMBEDDED.get(self.name, ())

    def __str__(self) -> str:
        """Return ``small_vgg (cifar10)``."""
        return f"{self.name} ({self.weights})"


def fixed(text: str) -> Fixed:
    """Read ``vgg19`` or ``vgg19:random``: an architecture, with the weights it usually has or those named.

    A file of weights is pinned: its whole path and the digest of what it holds are part of the value.
    """
    name, _, weights = text.partition(":")
    if _is_path(weights) and "#" not in weights and Path(weights).expanduser().is_file():
        path = Path(weights).expanduser().resolve()
        weights = f"{path}#{file_digest(path)}"
    if not weights and name in NETWORKS:
        weights = NETWORKS[name][0]
    return Fixed(name=name, weights=weights)


def pinned(network: Fixed) -> str:
    """Return ``small_vgg (cifar10 0123456789abcdef)``: the network with its weights' digest, where that is at hand.

    Of a file it tells the name and no folder.
    """
    return f"{network.name} ({' '.join(filter(None, known_weights(network)))})"


def known_weights(network: Fixed) -> tuple[str, str]:
    """Return what the weights of *network* are called, a file without its folder, and their digest.

    Weights that are downloaded or random have no digest here; it is empty then.
    """
    where, _, digest = network.weights.partition("#")
    if network.embedded:
        digest = file_digest(embedded_path(network))
    return Path(where).name, digest


def embedded() -> Iterator[Fixed]:
    """Yield the networks whose weights come with Paribus."""
    for name, known in EMBEDDED.items():
        for weights in known:
            yield Fixed(name=name, weights=weights)


def embedded_path(network: Fixed) -> Path:
    """Return the file in the package that holds the embedded weights of *network*."""
    return Path(str(files("paribus.nn.networks") / f"{network.name}_{network.weights}{SUFFIX}"))


def editions() -> tuple[str, ...]:
    """Return which embedded weights these are, for the identity of trials that may use them."""
    return tuple(f"{one.name} {one.weights} {file_digest(embedded_path(one))}" for one in embedded())


def file_digest(path: Path) -> str:
    """Return 16 hexadecimal digits of the content of the file at *path*."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _is_path(weights: str) -> bool:
    return weights.partition("#")[0].endswith((".safetensors", ".pth", ".pt"))


def _nearest(name: str) -> str:
    near = get_close_matches(name, NETWORKS, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; one of {', '.join(NETWORKS)} is expected"
