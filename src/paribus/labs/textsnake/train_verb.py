"""``paribus textsnake train``: the detector taught further on annotated photographs of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from paribus.labs.textsnake.options import DataSet, Device, GroundTruth, SkipBroken

BATCH = 4
"""Views a step."""
SIDE = 512
"""Pixels of a view's side."""
PEAK = 1e-3
"""Largest learning rate, a third of that which the shipped weights have seen."""


def train(
    ground_truth: GroundTruth,
    data: DataSet,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The .safetensors file to write.", show_default=False)
    ],
    split: Annotated[str, typer.Option("--split", metavar="SPLIT", help="train or test.")] = "train",
    weights: Annotated[
        str, typer.Option("--weights", metavar="W", help="Where it starts: slim, or a .safetensors FILE.")
    ] = "slim",
    steps: Annotated[int, typer.Option("--steps", metavar="N", min=1, help="Updates of four views each.")] = 2000,
    skip_broken: SkipBroken = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the random views.")] = 0,
    device: Device = "cpu",
) -> None:
    """Train the detector further on annotated photographs.

    The paper's second stage: what was taught on synthetic scenes learns from random views of photographs, in the layout
    of a published data set. A step takes about a second of a processor core; the progress says how long yet.
    Interrupted, the same command goes on where it stopped.
    """
    from paribus.cli.conducting import check_device
    from paribus.cli.files import prepare
    from paribus.cli.in_view import in_view
    from paribus.cli.scratch import scratch_of
    from paribus.cli.terminal import one_line, say
    from paribus.errors import ConfigError, DataError
    from paribus.labs.textsnake import LAB
    from paribus.labs.textsnake.detector import torch_for
    from paribus.labs.textsnake.experiments import Training
    from paribus.labs.textsnake.published import published
    from paribus.nn.networks.names import file_digest
    from paribus.train.schedule import OneCycle

    check_device(device)
    if weights.endswith(".onnx"):
        raise ConfigError(f"--weights {weights}: an ONNX file cannot learn; a .safetensors file or a name is expected")
    prepare(out, "--out")
    photographs = published(data, ground_truth, split, skip_broken=skip_broken)
    if not photographs:
        raise DataError(f"{ground_truth}: no photographs in the {split} split of {data}")

    with torch_for(weights):
        from paribus.labs.textsnake.shipped import path_of
        from paribus.labs.textsnake.training import fine_tuned
        from paribus.labs.textsnake.weights_file import load_weights, save_weights
        from paribus.nn.networks.embed import checked
        from paribus.train.arithmetic import reproducible

    checked(out)
    began = file_digest(path_of(weights))
    training = Training(steps=steps, batch_size=BATCH, side=SIDE, schedule=OneCycle(peak=PEAK), precision="bfloat16")
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in photographs.paths if path.exists()]
    scratch = scratch_of(LAB, (training, data, split, skip_broken, began, files), (), seed=seed, device=device)
    title = f"{Path(weights).name} on {len(photographs)} photographs of {data}"
    with in_view(title, seed=seed, device=device, scratch=scratch) as context, reproducible(device):
        model = fine_tuned(load_weights(weights), photographs, training, context)
    record = {"began_as": f"{Path(weights).name} {began}", "data": f"{data}, {split}", "images": len(photographs)}
    save_weights(out, model.to("cpu"), {**record, "steps": steps, "seed": seed})
    shutil.rmtree(scratch, ignore_errors=True)
    for problem in photographs.problems:
        say(f"note: left out: {one_line(problem)}")
    print(f"{out}: {title}; paribus textsnake detect IMAGE... --weights {out}")
