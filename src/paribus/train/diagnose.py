"""The learning half of the diagnostics: whether a network is able to learn, before one asks what helps it.

After Karpathy (2019), "A Recipe for Training Neural Networks", step 2: the loss at initialisation, the scale of what
flows through the layers, a few examples to overfit, and labels without meaning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paribus.spec.finding import Finding

LAYERS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
FEW = 32
"""Examples that any network of some thousand weights must be able to learn by heart."""


def initial_loss(loss: float, guess: float) -> Finding:
    """Compare the *loss* before training with *guess*, the same loss of outputs that are all zero.

    Where zeros become equal probabilities and the loss is cross-entropy, *guess* is ln K for K classes.
    """
    value = f"{loss:.3f}; outputs of zero, which prefer no class, cost {guess:.3f}"
    check = "loss at initialisation"
    if not math.isfinite(loss):
        return Finding(
            check, "warning", value, "The loss is not finite before the first step: look at inputs and loss."
        )
    if loss > 3 * guess:  # outputs of size one cost about as much again as zeros, where a loss compares them directly
        return Finding(
            check,
            "warning",
            value,
            "Its first answers cost more than none would: the first steps only undo that; start smaller.",
        )
    if loss < 0.5 * guess:
        return Finding(
            check,
            "warning",
            value,
            "Better than guessing before any step: the labels leak into the inputs, or K is wrong.",
        )
    return Finding(check, "ok", value, "The network starts by guessing, as it should.")


@dataclass(frozen=True)
class LayerScale:
    """Root mean squares at one layer after some steps.

    Args:
        layer: its name.
        activation: of what it gives out.
        gradient: of the loss by its weights.
        update: of the last step of its weights, relative to the weights.
    """

    layer: str
    activation: float
    gradient: float
    update: float


def layer_scales(model: nn.Module, step: Callable[[], Tensor], optimizer: torch.optim.Optimizer) -> list[LayerScale]:
    """Take one training step and return what was seen at every convolution and linear layer, in the model's order.

    *step* computes the objective of one batch with *model*; *optimizer* holds its parameters.
    """
    seen: dict[str, float] = {}
    layers = {name: module for name, module in model.named_modules() if isinstance(module, LAYERS)}
    hooks = [module.register_forward_hook(_recorder(seen, name)) for name, module in layers.items()]
    try:
        objective = step()
    finally:
        for hook in hooks:
            hook.remove()
    optimizer.zero_grad(set_to_none=True)
    objective.backward()  # type: ignore[no-untyped-call]
    before = {name: layer.weight.detach().clone() for name, layer in layers.items()}
    optimizer.step()
    scales = []
    for name, layer in layers.items():
        gradient = layer.weight.grad
        moved = _rms(layer.weight.detach() - before[name]) / max(_rms(before[name]), 1e-30)
        scales.append(LayerScale(name, seen.get(name, 0.0), 0.0 if gradient is None else _rms(gradient), moved))
    return scales


def scales_finding(scales: Sequence[LayerScale]) -> Iterator[Finding]:
    """Say whether activations, gradients and updates keep their size from layer to layer."""
    yield _spread(
        "scale of activations",
        [(s.layer, s.activation) for s in scales],
        100.0,
        "Signals fade or grow from layer to layer: normalise, or start the weights at another size.",
        "Signals keep their size through the layers.",
    )
    yield _spread(
        "scale of gradients",
        [(s.layer, s.gradient) for s in scales],
        1e4,
        "Some layers hardly hear of the loss: look for saturated or dead units between them and it.",
        "The loss reaches every layer.",
    )
    largest = max(scales, key=lambda s: s.update)
    smallest = min(scales, key=lambda s: s.update)
    value = f"{smallest.update:.1e} ({smallest.layer}) to {largest.update:.1e} ({largest.layer}) of the weights a step"
    check = "size of updates"
    if not all(math.isfinite(s.update) for s in scales):
        wrong = next(s.layer for s in scales if not math.isfinite(s.update))
        yield Finding(check, "warning", f"not finite ({wrong})", "The first step leaves the numbers: look at the loss.")
    elif smallest.update < 1e-5:
        yield Finding(
            check,
            "warning",
            value,
            f"The weights of {smallest.layer} hardly move: the learning rate is too low for this many steps, or the "
            "loss does not reach them.",
        )
    elif largest.update > 0.3:
        yield Finding(
            check,
            "note",
            value,
            "A step replaces much of a layer: the learning rate is high; warm up or lower it.",
        )
    else:
        yield Finding(check, "ok", value, "Each step changes the weights a little: about a thousandth is usual.")


def few_examples(accuracy: float, loss: float, steps: int) -> Finding:
    """Say whether :data:`FEW` examples were learnt by heart: *accuracy* and *loss* on them after *steps* steps."""
    value = f"{accuracy:.0%} right, loss {loss:.3f}, after {steps} steps on {FEW} examples"
    check = f"overfits {FEW} examples"
    if accuracy == 1:
        return Finding(check, "ok", value, "Data, loss, gradients and optimiser work together.")
    return Finding(
        check,
        "warning",
        value,
        "What cannot be learnt by heart will not be learnt: a bug, a dead loss or a wrong learning rate.",
    )


def shuffled_labels(accuracy: float, chance: float, count: int, steps: int) -> Finding:
    """Say whether held-out *accuracy* after training on shuffled labels stays at *chance*, within 3 standard errors.

    *chance* is the share of the held-out set's largest class, the most that an answer without the image can score.
    """
    error = math.sqrt(chance * (1 - chance) / count)
    value = f"{accuracy:.1%} on {count} held-out examples after {steps} steps; the largest class has {chance:.1%}"
    check = "shuffled labels"
    if accuracy > chance + 3 * error:
        return Finding(
            check,
            "warning",
            value,
            "Labels without meaning predict true ones: training or evaluation sees other labels than these.",
        )
    return Finding(check, "ok", value, "Nothing is learnt where there is nothing to learn: no label leaks.")


def _spread(check: str, values: list[tuple[str, float]], limit: float, bad: str, good: str) -> Finding:
    wrong = next((layer for layer, size in values if not math.isfinite(size)), None)
    if wrong is not None:
        return Finding(check, "warning", f"not finite ({wrong})", "Numbers overflow: look at inputs, loss and rate.")
    low, high = min(values, key=lambda item: item[1]), max(values, key=lambda item: item[1])
    value = f"{low[1]:.2g} ({low[0]}) to {high[1]:.2g} ({high[0]}), root mean square over {len(values)} layers"
    fine = low[1] > 0 and high[1] / low[1] <= limit
    return Finding(check, "ok" if fine else "warning", value, good if fine else bad)


def _recorder(seen: dict[str, float], name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def record(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen[name] = _rms(output.detach())

    return record


def _rms(values: Tensor) -> float:
    return float(values.float().square().mean().sqrt())
