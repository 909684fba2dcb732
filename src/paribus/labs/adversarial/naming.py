"""The experiment that an attack on a picture of one's own is, as far as the lab has changes for what was chosen."""

from __future__ import annotations

import dataclasses
import math

from paribus.labs.adversarial.experiments import BASELINE, Protocol, learnt
from paribus.nn.networks.names import NETWORKS, Fixed, known_weights
from paribus.spec.experiment import Experiment, flatten
from paribus.spec.registry import experiment, lab


def experiment_of(network: Fixed, how: Protocol, *, targeted: bool) -> Experiment:
    """Return the experiment with this victim, norm, radius, attack and number of steps.

    Its data are those that the network learnt, so that it can be run: CIFAR-10. What no change says is not in it: a
    file of weights, whose place the baseline's victim then keeps, ImageNet's data, an infinite radius of an attack that
    does not come with one, and the budget but for the steps. :func:`unnamed` says which.
    """
    (by,) = how.attacks
    segments = ["cifar10"] if learnt(network) == "cifar10" else []
    changes = lab("adversarial").changes
    if victims := [change.name for change in changes if change.after == network]:
        segments += victims
    elif network.weights in NETWORKS[network.name]:
        segments.append(f"network={network.name}:{network.weights}")
    own = {change.name: change.after for change in changes if change.path == "protocol"}
    if by in own and own[by].norm == how.norm:
        segments.append(by)
    elif f"{how.norm}_by_{by}" in own:
        segments.append(f"{how.norm}_by_{by}")
    elif how.norm != BASELINE.protocol.norm:
        segments.append(how.norm)
    found = _joined(segments).config.protocol
    if found.attacks != how.attacks:
        segments.append(f"by_{by}")
    if found.eps != how.eps and math.isfinite(how.eps):
        segments.append(f"eps={how.eps!r}")
    if found.steps != how.steps:
        segments.append(f"attack_steps={how.steps}")
    if targeted:
        segments.append("targeted")
    return _joined(segments)


def unnamed(found: Experiment, network: Fixed, how: Protocol) -> tuple[str, ...]:
    """Return the fields in which an attack on a picture is not the experiment *found*, the number of images aside.

    Their values stand beside the name: ``victim``, ``protocol.queries``. ``data`` is one where the lab has none of the
    classes that the network learnt: that experiment does not run.
    """
    named = flatten(found.config)
    done = flatten(dataclasses.replace(found.config, victim=network, protocol=how))
    differ = [path for path in done if done[path] != named.get(path)]
    data = ["data"] if learnt(network) not in (None, found.config.data) else []
    return tuple(path for path in (*data, *differ) if path != "protocol.images" and not path.startswith("victim."))


def network_in_words(network: Fixed) -> dict[str, str]:
    """Return the network's name, of a file of weights without its folder, and the digest of the file that holds them.

    A picture that is passed on tells no paths. Random weights have no file, and torchvision's are those of its name.
    """
    weights, digest = known_weights(network)
    return {"network": f"{network.name}:{weights}"} | ({"weights_digest": digest} if digest else {})


def _joined(segments: list[str]) -> Experiment:
    return experiment("/".join(("adversarial", *segments)))
