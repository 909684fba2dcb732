"""Runs of one trial an hour: the plain loop of a tutorial against Paribus's trial function, at the same work a trial.

    python bench/throughput.py [--quick]

Both train the course's network on the brief budget of ``svhn.softmax`` (same images, steps, batches, evaluation) on
``street_digits``. The plain loop is what one finds in tutorials: a ``Dataset`` that returns one transformed image at a
time, a ``DataLoader`` with two workers, float32, two threads, ``loss.item()`` at each step, one trial after the other.
Of Paribus the control's trial function runs, without study, runner or store, whose cost ``bench/overhead.py`` measures:
two processes of one thread each, side by side. Every trial begins in a fresh process that has torch loaded, and its
time includes data, training, evaluation. The arms alternate, so that both meet the same machine; it should have nothing
else to do, since two threads that wait for each other suffer most from a third.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from paribus.data.catalogue import load
from paribus.labs.svhn.experiments import Budget, Config
from paribus.spec.context import Context
from paribus.spec.registry import experiment


class Images(Dataset[tuple[torch.Tensor, int]]):
    """A data set as tutorials write it: one PIL image at a time, through a transform."""

    def __init__(self, split: str, limit: int | None) -> None:
        from torchvision import transforms

        found = load("street_digits", split, limit=limit)  # type: ignore[arg-type]
        self.images, self.labels = np.asarray(found.images), found.labels
        self.transform = transforms.Compose(
            [transforms.ToPILImage(), transforms.ToTensor(), transforms.Normalize([0.45] * 3, [0.2] * 3)]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images[index]), int(self.labels[index])


def plain(seed: int, budget: Budget) -> float:
    """Train and evaluate as a tutorial does; return the test accuracy."""
    torch.manual_seed(seed)
    torch.set_num_threads(2)
    layers: list[nn.Module] = []
    channels = 3
    for width, pool in ((16, True), (32, False), (32, True), (64, False), (64, True), (128, False), (128, False)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
        channels = width
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-10)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [int(0.75 * budget.steps), int(0.9 * budget.steps)], 0.1)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(Images("train", budget.train_examples), budget.batch_size, shuffle=True, num_workers=2)
    validation = DataLoader(Images("validation", budget.validation_examples), 512, num_workers=2)
    step, running = 0, 0.0
    while step < budget.steps:
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            running += loss.item()
            step += 1
            if step % -(-budget.steps // 4) == 0:
                accuracy(model, validation)
                model.train()
            if step == budget.steps:
                break
    return accuracy(model, DataLoader(Images("test", budget.test_examples), 512, num_workers=2))


def accuracy(model: nn.Module, loader: DataLoader[tuple[torch.Tensor, int]]) -> float:
    """Return the share of right answers."""
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += int((model(images).argmax(1) == labels).sum())
            total += len(labels)
    return correct / total


def paribus(seed: int, budget: Budget) -> float:
    """Run the lab's trial on one thread; return the test accuracy."""
    torch.set_num_threads(1)
    found = experiment("svhn/street_digits")
    config: Config = found.config
    config = dataclasses.replace(config, budget=budget)
    return float(found.lab.run(config, Context(seed=seed))["test_accuracy"])


def _worker(run: Callable[[int, Budget], float], seed: int, budget: Budget, pipe: Any) -> None:
    multiprocessing.set_start_method(
        "fork", force=True
    )  # as in a script: a loader's workers need not import torch again
    pipe.send(run(seed, budget))


def timed(run: Callable[[int, Budget], float], seeds: list[int], budget: Budget) -> tuple[float, list[float]]:
    """Run the trials of *seeds* side by side; return the seconds until all are done, and their test accuracies."""
    context = multiprocessing.get_context("forkserver")
    begun = time.perf_counter()
    jobs = []
    for seed in seeds:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_worker, args=(run, seed, budget, sender))
        process.start()
        jobs.append((process, receiver))
    found = [receiver.recv() for _, receiver in jobs]
    for process, _ in jobs:
        process.join()
    return time.perf_counter() - begun, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rounds of a third of the steps, not five whole ones")
    quick = parser.parse_args().quick
    budget: Budget = experiment("svhn/street_digits/brief").config.budget
    if quick:
        budget = dataclasses.replace(budget, steps=budget.steps // 3)
    rounds = 2 if quick else 5
    for split, limit in (("train", budget.train_examples), ("validation", None), ("test", budget.test_examples)):
        load("street_digits", split, limit=limit)  # type: ignore[arg-type]  # made before the clock runs
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["torch", "torch._dynamo", "torchvision.transforms", "paribus.labs.svhn.run"]
    )
    timed(paribus, [100, 101], dataclasses.replace(budget, steps=2))  # the fork server starts
    print(f"load of the machine before: {os.getloadavg()[0]:.2f} (should be near 0)")
    plain_rates, paribus_rates = [], []
    scores: dict[str, list[float]] = {"plain": [], "paribus": []}
    for index in range(rounds):
        seconds, found = timed(plain, [index], budget)
        plain_rates.append(3600 / seconds)
        scores["plain"] += found
        seconds, found = timed(paribus, [2 * index, 2 * index + 1], budget)
        paribus_rates.append(7200 / seconds)
        scores["paribus"] += found
        print(
            f"round {index + 1}: plain {plain_rates[-1]:.0f}, Paribus {paribus_rates[-1]:.0f} runs of a trial an hour",
            flush=True,
        )
    one, two = statistics.median(plain_rates), statistics.median(paribus_rates)
    images = budget.steps * budget.batch_size
    print(f"a trial: {budget.steps} steps of {budget.batch_size} images, {budget.test_examples} test images")
    print(f"plain loop, 2 threads: median {one:7.1f} an hour (n = {rounds}), {_mean(scores['plain'])} right")
    print(f"Paribus, 2 x 1 thread: median {two:7.1f} an hour (n = {2 * rounds}), {_mean(scores['paribus'])} right")
    print(f"images trained a second: {one * images / 3600:.0f} and {two * images / 3600:.0f}")
    print(f"ratio {two / one:.2f}   ({platform.processor() or platform.machine()}, torch {torch.__version__})")


def _mean(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f}"


if __name__ == "__main__":
    main()
