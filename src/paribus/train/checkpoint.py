"""A training state as safetensors bytes, and back into the objects it came from, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping

import safetensors.torch
import torch
from torch import nn


def pack(step: int, model: nn.Module, optimizer: torch.optim.Optimizer, extra: Mapping[str, torch.Tensor]) -> bytes:
    """Return the state after *step* steps: parameters, buffers, the optimiser's moments and *extra* tensors."""
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    for index, state in enumerate(_states(optimizer)):
        tensors |= {f"optimizer/{index}/{key}": value for key, value in state.items() if torch.is_tensor(value)}
    tensors |= {f"extra/{name}": tensor for name, tensor in extra.items()}
    tensors["step"] = torch.tensor(step)
    return bytes(safetensors.torch.save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}))


def unpack(data: bytes, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, dict[str, torch.Tensor]]:
    """Put a packed state back into *model* and *optimizer*; return the steps done and the extra tensors."""
    tensors = safetensors.torch.load(data)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(tensors[f"model/{name}"])
    for index, parameter in enumerate(_parameters(optimizer)):
        prefix = f"optimizer/{index}/"
        for name, saved in tensors.items():
            if name.startswith(prefix):
                optimizer.state[parameter][name.removeprefix(prefix)] = _like(saved, parameter)
    extra = {name.removeprefix("extra/"): tensor for name, tensor in tensors.items() if name.startswith("extra/")}
    return int(tensors["step"]), extra


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _states(optimizer: torch.optim.Optimizer) -> list[Mapping[str, object]]:
    return [optimizer.state.get(parameter, {}) for parameter in _parameters(optimizer)]


def _like(saved: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Give *saved* the layout and device of *parameter* where it has its shape: torch keeps moments like this."""
    if saved.shape != parameter.shape:
        return saved.to(parameter.device)
    return torch.empty_like(parameter, dtype=saved.dtype).copy_(saved).detach()
