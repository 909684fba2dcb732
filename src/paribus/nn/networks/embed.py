"""From a network as it was trained to the file that ships: batch norm folded, half precision, a record inside; and back
to that record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from paribus.errors import DataError
from paribus.nn.networks.names import SUFFIX
from paribus.whole import write_whole


@torch.no_grad()
def folded(network: nn.Module) -> dict[str, Tensor]:
    """Return the parameters of *network* in float32, each batch norm merged into the convolution before it.

    The two are merged wherever they are a sequence. What has parts has no parameters besides theirs.
    """
    match list(network.children()):
        case []:
            found = dict(network.state_dict())
        case [nn.Conv2d() as convolution, nn.BatchNorm2d() as norm]:
            found = dict(fuse_conv_bn_eval(convolution.eval(), norm.eval()).state_dict())
        case _:
            parts = ((name, folded(part)) for name, part in network.named_children())
            found = {f"{name}.{key}": tensor for name, part in parts for key, tensor in part.items()}
    return {name: tensor.detach().float().contiguous() for name, tensor in found.items()}


def save_embedded(path: Path, weights: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write *weights* in float16 with *record* (JSON values) as metadata; the file is whole or not there."""
    halves = {name: tensor.half().contiguous() for name, tensor in weights.items()}
    data = safetensors.torch.save(halves, metadata={"record": json.dumps(dict(record), sort_keys=True)})
    write_whole(path, data)


def checked(path: Path) -> Path:
    """Return *path* if weights can go there by its name."""
    if path.suffix != SUFFIX:
        raise DataError(f"{path}: weights go into a file whose name ends in {SUFFIX}")
    return path


def record(path: Path) -> dict[str, Any]:
    """Return what is known of the weights in *path*: network, data, recipe, machine, seconds."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            found = json.loads((file.metadata() or {}).get("record", "{}"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file of weights") from None
    except (OSError, safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: not a file of weights that can be read ({type(error).__name__})") from None
    return found if isinstance(found, dict) else {}
