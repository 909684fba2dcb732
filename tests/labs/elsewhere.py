"""A device that is not there: tensors elsewhere compute as on the processor, and never together with tensors here.

PyTorch calls it ``meta``, the one device beside the processor that every build has. Within :func:`elsewhere` a tensor
on it holds its values in a tensor of the processor, so a computation gives the same bits; an operation on tensors of
both devices is the error that it is on a graphics card. What this cannot see: kernels of such a card, and autocast,
which is off for both here, so that their results can be compared.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "meta"
ELSEWHERE, HERE = torch.device(NAME), torch.device("cpu")

aten = torch.ops.aten
INDEXED = (aten.index.Tensor, aten.index_put_.default, aten._index_put_impl_.default)
"""Operations whose indices may lie on the processor, as on a graphics card."""


class _Held(Tensor):
    """A tensor elsewhere; *held* are its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> _Held:
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=ELSEWHERE,
        )
        made.held = held
        return made  # type: ignore[no-any-return]

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(
        cls, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return _compute(operation, args, kwargs or {})


class _Dispatch(TorchDispatchMode):
    """Sees operations that make tensors elsewhere or bring them there."""

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return _compute(operation, args, kwargs or {})


class _Literals(TorchFunctionMode):
    """Brings what is written as numbers to its device, which a meta tensor would leave without values."""

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        wishes = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and wishes.get("device") == ELSEWHERE:
            del wishes["device"]
            return function(*args, **wishes).to(ELSEWHERE)
        if function is Tensor.new_tensor and args[0].device == ELSEWHERE:
            return torch.tensor(*args[1:], **{"dtype": args[0].dtype} | wishes).to(ELSEWHERE)
        return function(*args, **wishes)


def _compute(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    leaves = tree_leaves((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    there = [one for one in tensors if isinstance(one, _Held)]
    here = [one for one in tensors if not isinstance(one, _Held) and one.dim() > 0]
    assert all(one.device != ELSEWHERE for one in here), f"{operation}: a tensor elsewhere came about unseen"
    into = operation in INDEXED or operation is aten.copy_.default
    if there and here and not (into and (isinstance(args[0], _Held) or operation is aten.copy_.default)):
        shapes = ", ".join(str(tuple(one.shape)) for one in here)
        raise RuntimeError(f"{operation}: tensors on two devices; {shapes} on the processor, the others elsewhere")
    asked = [leaf for leaf in leaves if isinstance(leaf, torch.device)]
    away = isinstance(args[0], _Held) if into else ELSEWHERE in asked if asked else bool(there)
    known = {id(one.held): one for one in there}

    def held(leaf: Any) -> Any:
        if isinstance(leaf, torch.device):
            return HERE if leaf == ELSEWHERE else leaf
        return leaf.held if isinstance(leaf, _Held) else leaf

    def sent(leaf: Any) -> Any:
        if not away or not isinstance(leaf, Tensor) or isinstance(leaf, _Held):
            return leaf
        return known[id(leaf)] if id(leaf) in known else _Held(leaf)

    return tree_map(sent, operation(*tree_map(held, args), **tree_map(held, kwargs)))


@contextlib.contextmanager
def elsewhere() -> Generator[str]:
    """Let tensors be elsewhere; gives the device's name."""
    with _Literals(), _Dispatch():
        yield NAME


@contextlib.contextmanager
def without_autocast() -> Generator[None]:
    """Compute what asks for bfloat16 by autocast in float32, as the meta device does; and let fused optimisers run."""
    from torch.optim import optimizer

    supported = [*optimizer._get_fused_kernels_supported_devices(), NAME]
    with (
        mock.patch("torch.autocast", return_value=contextlib.nullcontext()),
        mock.patch.object(optimizer, "_get_fused_kernels_supported_devices", return_value=supported),
    ):
        yield
