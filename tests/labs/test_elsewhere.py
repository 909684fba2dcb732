"""The device that is not there: what it computes, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from elsewhere import elsewhere


def test_tensors_on_two_devices_are_an_error_and_values_are_those_of_the_processor() -> None:
    with elsewhere() as there:
        x = torch.arange(6.0).reshape(2, 3).to(there)
        assert x.device == torch.tensor([1.0], device=there).device == torch.zeros(2, device=there).device
        with pytest.raises(RuntimeError, match=r"add.*two devices; \(2, 3\) on the processor"):
            x + torch.ones(2, 3)
        with pytest.raises(RuntimeError, match="two devices"):
            torch.ones(2, 3)[x > 1]
        layer = torch.nn.Linear(3, 2).to(there)
        layer(x).square().sum().backward()
        assert layer.weight.grad is not None
        expected = 2 * (x.cpu() @ layer.weight.detach().cpu().T + layer.bias.detach().cpu()).T @ x.cpu()
        assert torch.allclose(layer.weight.grad.cpu(), expected)
        assert x[torch.tensor([1])].cpu().tolist() == [[3.0, 4.0, 5.0]]
        assert x.sum().item() == 15.0
