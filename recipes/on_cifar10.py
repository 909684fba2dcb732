"""What the recipes of the small networks that come with Paribus share: training on CIFAR-10, and the file that ships.

    python recipes/small_vgg.py DIR --scratch TMP                # natural training: cifar10
    python recipes/small_vgg.py DIR --scratch TMP --adversarial  # against FGSM from random starts: cifar10_robust
    python recipes/small_resnet.py DIR --scratch TMP             # natural training: cifar10
    python recipes/small_plain.py DIR --scratch TMP              # the same without shortcuts: cifar10

DIR holds CIFAR-10 as images, ``train/<class>/*`` and ``test/<class>/*``, the classes named as usual. 15 %
of the training images, by the hash of their names, are held out for looking; the test images are looked at once.
An interrupted run goes on from its last checkpoint in ``--scratch``.

Natural: SGD with Nesterov momentum 0.9, weight decay 5e-4, one cycle of the learning rate, batches of 256, label
smoothing 0.1, random shifts of up to 4 pixels and flips, bfloat16 arithmetic.
Adversarial: fast adversarial training (Wong, Rice & Kolter 2020, algorithm 3) with epsilon 8/255 and steps of 10/255,
without label smoothing; half a pass at the start is natural.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from made_on import made_on
from torch import Tensor

from paribus.data.image_folder import load_image_folder
from paribus.nn.initial import initialise, untouched_rng
from paribus.nn.networks.embed import folded, save_embedded
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import CIFAR10, small
from paribus.nn.networks.names import EMBEDDED, Fixed, embedded_path
from paribus.nn.pixels import to_tensor
from paribus.spec.context import Context, Report, Scalars
from paribus.spec.seed import Streams
from paribus.train.arithmetic import autocast, reproducible
from paribus.train.batches import Batches
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import SGD
from paribus.train.schedule import OneCycle

SEED = 0
BATCH = 256
EPSILON, ATTACK_STEP = 8 / 255, 10 / 255
PASSES = {False: 20, True: 16}
PEAK = {False: 0.2, True: 0.1}
"""The highest learning rate for batches of 256."""


def shifted(images: np.ndarray, streams: Streams, step: int) -> np.ndarray:
    """Return *images* (B, H, W, 3), each shifted by up to 4 pixels, edges mirrored, half of them flipped."""
    random = streams.generator(f"augment/step={step}")
    count, side = len(images), images.shape[1]
    padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
    tops, lefts = random.integers(0, 9, (2, count))
    flips = random.random(count) < 0.5
    rows = tops[:, None] + np.arange(side)
    columns = lefts[:, None] + np.where(flips[:, None], np.arange(side)[::-1], np.arange(side))
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def perturbed(model: Layered, images: Tensor, labels: Tensor, streams: Streams, step: int) -> Tensor:
    """Return *images* after one step of FGSM from a random start within epsilon (Wong et al. 2020, algorithm 3)."""
    drawn = streams.generator(f"attack/step={step}").random(tuple(images.shape), dtype=np.float32)
    delta = ((torch.from_numpy(drawn) * 2 - 1) * EPSILON).requires_grad_()
    with autocast("cpu", "bfloat16"):
        loss = F.cross_entropy(model(images + delta).float(), labels)
    (gradient,) = torch.autograd.grad(loss, delta)
    moved = (delta.detach() + ATTACK_STEP * gradient.sign()).clamp(-EPSILON, EPSILON)
    return (images + moved).clamp(0, 1)


@torch.inference_mode()
def accuracy(model: torch.nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    right = sum(
        int((model(to_tensor(images[at : at + 500])).argmax(1).numpy() == labels[at : at + 500]).sum())
        for at in range(0, len(images), 500)
    )
    return right / len(images)


def robust_accuracy(model: Layered, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy under 20 steps of PGD of 2/255 within epsilon, from a random start."""
    streams, right = Streams(SEED), 0
    for at in range(0, len(images), 250):
        clean, truth = to_tensor(images[at : at + 250]), torch.from_numpy(labels[at : at + 250])
        drawn = torch.from_numpy(streams.generator(f"pgd/{at}").random(tuple(clean.shape), dtype=np.float32))
        x = (clean + (drawn * 2 - 1) * EPSILON).clamp(0, 1)
        for _ in range(20):
            x.requires_grad_()
            (gradient,) = torch.autograd.grad(F.cross_entropy(model(x), truth), x)
            x = x.detach() + 2 / 255 * gradient.sign()
            x = torch.minimum(torch.maximum(x, clean - EPSILON), clean + EPSILON).clamp(0, 1)
        with torch.inference_mode():
            right += int((model(x).argmax(1) == truth).sum())
    return right / len(images)


def train(architecture: str) -> None:
    """Train *architecture* as the command line says, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--adversarial", action="store_true", help="of small_vgg")
    parser.add_argument("--scratch", type=Path, required=True, help="where checkpoints and the data's cache go")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--passes", type=int, help="over the training images, instead of the recipe's")
    parser.add_argument("--out", type=Path, help="instead of the package's file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    adversarial: bool = options.adversarial
    if adversarial and "cifar10_robust" not in EMBEDDED[architecture]:
        parser.error(f"--adversarial: no robust weights of {architecture} ship; of small_vgg they do")
    weights_name = "cifar10_robust" if adversarial else "cifar10"
    out = options.out or embedded_path(Fixed(name=architecture, weights=weights_name))
    training = load_image_folder(options.directory, "train", cache=options.scratch / "data")
    if training.classes != CIFAR10:
        parser.error(f"the classes are {training.classes}, not CIFAR-10's")
    images, labels = np.asarray(training.images), np.asarray(training.labels)
    validation = load_image_folder(options.directory, "validation", cache=options.scratch / "data")
    look, look_labels = np.asarray(validation.images)[:2000], np.asarray(validation.labels)[:2000]
    streams = Streams(SEED)
    batches = Batches(len(images), BATCH, streams)
    a_pass = len(images) // BATCH
    steps = a_pass * (options.passes or PASSES[adversarial])
    started = time.process_time()

    def emit(report: Report) -> None:
        if isinstance(report, Scalars):
            print(report.step, {key: round(value, 4) for key, value in report.values.items()}, flush=True)

    with reproducible("cpu"):
        with untouched_rng():
            model, shipped = small(architecture, batch_norm=True), small(architecture)
        initialise(model.stages, streams)
        model.to(memory_format=torch.channels_last)

        def loss(step: int) -> StepLoss:
            model.train()
            rows = batches.indices(step)
            seen, truth = to_tensor(shifted(images[rows], streams, step)), torch.from_numpy(labels[rows])
            if adversarial and step >= a_pass // 2:
                seen = perturbed(model, seen, truth, streams, step)
            with autocast("cpu", "bfloat16"):
                scores = model(seen.contiguous(memory_format=torch.channels_last)).float()
            found = F.cross_entropy(scores, truth, label_smoothing=0.0 if adversarial else 0.1)
            return StepLoss(found, found)

        def measure() -> dict[str, float]:
            model.eval()
            return {"validation_accuracy": accuracy(model, look, look_labels)}

        schedule = OneCycle(peak=PEAK[adversarial])
        fit(
            loss,
            model=model,
            optimizer=SGD(momentum=0.9, weight_decay=5e-4).build(model.parameters(), rate=0.0),
            rate=schedule.rate,
            steps=steps,
            context=Context(seed=SEED, scratch=options.scratch / f"{architecture}_{weights_name}", emit=emit),
            points=32,
            measure=measure,
            measurements=8,
        )
        weights = {key: tensor.half().float() for key, tensor in folded(model.stages).items()}
        shipped.stages.load_state_dict(weights)
        shipped.eval()
        shipped.to(memory_format=torch.channels_last)
        test = load_image_folder(options.directory, "test", cache=options.scratch / "data")
        found, truth = np.asarray(test.images), np.asarray(test.labels)
        natural = accuracy(shipped, found, truth)
        robust = robust_accuracy(shipped, found[::10], truth[::10])
    print(f"test accuracy {natural:.4f} (n = {len(truth)}), under PGD-20 {robust:.4f} (n = {len(truth[::10])})")
    kind = "adversarially trained on CIFAR-10 (fast, 8/255)" if adversarial else "trained on CIFAR-10"
    record = {
        "in_words": f"{architecture} {kind}, test accuracy {natural:.1%}",
        "command": f"python recipes/{architecture}.py DIR{' --adversarial' if adversarial else ''} --scratch DIR",
        "data": f"CIFAR-10 as JPEG images, {len(labels)} for training",
        "steps": steps,
        "test_accuracy": natural,
        "test_images": len(truth),
        "pgd20_accuracy": robust,
        "pgd20_images": len(truth[::10]),
        "processor_seconds_of_the_last_part": round(time.process_time() - started),
        **made_on(options.threads),
    }
    save_embedded(out, weights, record)
