"""``paribus textsnake detect``, ``export``, ``evaluate`` and ``train``: text found in pictures of one's own."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paribus.labs.textsnake.options import DataSet, Device, GroundTruth, SkipBroken
from paribus.labs.textsnake.seen_at import MULTIPLE, SIZE
from paribus.labs.textsnake.train_verb import train

if TYPE_CHECKING:
    from collections.abc import Callable

    from paribus.labs.textsnake.instance import Instance

MANY = 3
"""From how many pictures on a terminal shows how far the work is."""

app = typer.Typer(help="How is text of any shape found?")


@app.callback()
def _verbs() -> None:
    """How is text of any shape found?"""


_Weights = Annotated[
    str,
    typer.Option("--weights", metavar="W", help="slim, which comes with Paribus, or a .safetensors or .onnx FILE."),
]
_Size = Annotated[
    int,
    typer.Option("--size", metavar="PIXELS", min=MULTIPLE, help="The longer side when it is looked at; none grows."),
]


@app.command()
def detect(
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="Pictures, folders of pictures, or quoted patterns: 'scans/*.jpg'."),
    ],
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write what is found as JSON (- for standard output).")
    ] = None,
    draw: Annotated[
        Path | None, typer.Option("--draw", metavar="DIR", help="Draw what is found over each picture: DIR/NAME.png.")
    ] = None,
    size: _Size = SIZE,
    weights: _Weights = "slim",
    device: Device = "cpu",
) -> None:
    """Find text of any shape, straight or curved, in pictures.

    The JSON is a list with "path", "size" [width, height] and "instances" for each picture; an instance has its
    "polygon" [[x, y], ...], "disks" [[x, y, radius], ...] along its axis, and "score" from 0 to 1. Coordinates are
    pixels of the picture as it stands upright, after its EXIF orientation. With --draw, "drawing" is the path of the
    picture's drawing: DIR/NAME.png, or, where two pictures have one name, DIR/NAME.jpg.png, DIR/NAME-2.png, ...

    A picture that cannot be read, or a name of none, gets a line on standard error and is left out; the others go on,
    and the exit code is then 1. Interrupted, it writes what it has found.
    """
    import cv2

    from paribus.cli.files import prepare
    from paribus.cli.handing import STANDARD_OUTPUT
    from paribus.cli.terminal import one_line, say
    from paribus.data.pictures import read_picture, write_png
    from paribus.errors import ParibusError
    from paribus.labs.textsnake.detector import Detector
    from paribus.labs.textsnake.draw import drawn
    from paribus.labs.textsnake.made_by import told_of
    from paribus.labs.textsnake.pictures_named import drawings_of, pictures_named

    _check_device(device, weights)
    pictures, wrong = pictures_named(images, leave_out=draw)
    drawings = [] if draw is None else drawings_of(pictures, draw.expanduser())
    to_file = None if json_file in (None, STANDARD_OUTPUT) else Path(str(json_file))
    _keep_apart([*pictures, Path(weights)], drawings, to_file)
    for option, paths in (("--draw", drawings[:1]), ("--json", [to_file] if to_file else [])):
        for path in paths:
            prepare(path, option)
    with _getting_ready():
        detector = Detector(weights, size=size, device=device)
        detector.warm()
    told = told_of(weights, detector) if drawings else {}

    entries: list[str] = []  # as JSON: text takes less memory than lists of numbers
    texts = 0
    failed = len(wrong)
    for problem in wrong:
        say(f"error: {one_line(problem)}")
    with _json_of(entries, len(pictures), json_file), _progress(len(pictures)) as went_on:
        for number, path in enumerate(pictures):
            try:
                picture = read_picture(path)
                started = time.perf_counter()
                found = detector.detect(picture)
                milliseconds = (time.perf_counter() - started) * 1e3
                height, width = picture.shape[:2]
                drawing = drawings[number] if drawings else None
                if drawing is not None:
                    write_png(drawing, drawn(picture, found), **told, texts=len(found))
                entries.append(json.dumps(entry(path, (width, height), found, drawing), allow_nan=False))
                texts += len(found)
                if json_file is None:
                    print(f"{_shown(path)}: {width}x{height}, {_counted(len(found), 'text')}, {milliseconds:.0f} ms")
            except (ParibusError, MemoryError, cv2.error) as error:
                failed += 1
                reason = one_line(str(error)) or "too large for this machine's memory"
                say(f"error: {reason if str(path) in reason else f'{_shown(path)}: {reason}'}")
            went_on()
    if to_file is not None:
        print(f"{_shown(to_file)}: {_counted(len(entries), 'picture')}, {_counted(texts, 'text')}")
    if failed:
        raise typer.Exit(1)


def _check_device(device: str, weights: str) -> None:
    """Refuse a device that there is not, before anything is written; of ONNX the detector says it, without torch."""
    from paribus.cli.conducting import check_device
    from paribus.labs.textsnake.detector import torch_for

    if not weights.endswith(".onnx"):
        with torch_for(weights):
            check_device(device)


def _keep_apart(read: Iterable[Path], drawings: Iterable[Path], json_file: Path | None) -> None:
    """Refuse to write over what is read, or the JSON over a drawing; each path is resolved once."""
    from paribus.cli.files import FileError

    sources = {Path(os.path.realpath(path.expanduser())) for path in read}
    drawn: set[Path] = set()
    for path in drawings:
        drawn.add(place := Path(os.path.realpath(path)))
        if place in sources:
            raise FileError(f"--draw: {_shown(path)} would overwrite a picture that is read; name another folder")
    if json_file is not None:
        place = Path(os.path.realpath(json_file.expanduser()))
        if place in sources:
            raise FileError(f"--json {_shown(json_file)}: it would overwrite what is read; give another name")
        if place in drawn:
            raise FileError(f"--json {_shown(json_file)}: a drawing of --draw has this name; give another")


def entry(path: Path, size: tuple[int, int], found: Sequence[Instance], drawing: Path | None = None) -> dict[str, Any]:
    """Return what JSON says of a picture: hundredths of a pixel, ten-thousandths of a score."""
    instances = [
        {
            "polygon": text.polygon.round(2).tolist(),
            "disks": text.disks.round(2).tolist(),
            "score": round(float(text.score), 4),
        }
        for text in found
    ]
    drawn = {} if drawing is None else {"drawing": str(drawing)}
    return {"path": str(path), "size": list(size), **drawn, "instances": instances}


@contextmanager
def _json_of(entries: Sequence[str], total: int, target: str | None) -> Iterator[None]:
    """Write *entries* to *target* at the end, whole; also where an interruption or an error is that end."""
    from paribus.cli.handing import STANDARD_OUTPUT
    from paribus.cli.terminal import say
    from paribus.whole import write_whole

    whole = False
    try:
        yield
        whole = True
    finally:
        if target is not None and (whole or entries):
            text = "[\n" + ",\n".join(entries) + "\n]\n" if entries else "[]\n"
            if target == STANDARD_OUTPUT:
                sys.stdout.write(text)
            else:
                write_whole(Path(target).expanduser(), text.encode())
            if not whole:
                say(f"note: not all was looked at; {target} has {len(entries)} of {_counted(total, 'picture')}")


@contextmanager
def _getting_ready() -> Iterator[None]:
    """Say on a terminal what the first picture waits for: after an installation the decoder is compiled, once."""
    from paribus.cli.terminal import err
    from paribus.labs.textsnake.detector import COMPILING

    console = err()
    if not console.is_terminal:
        yield
        return
    with console.status(f"getting ready; right after an installation this takes {COMPILING}"):
        yield


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Give what is to be called after each picture; a terminal shows a bar where there are many."""
    from paribus.cli.terminal import err

    console = err()
    if total < MANY or not console.is_terminal:
        yield lambda: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("pictures", total=total)
        yield lambda: progress.advance(task)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _shown(path: Path) -> str:
    """Return *path* for a terminal, also where its bytes are no text."""
    return os.fsencode(path).decode(errors="replace")


@app.command()
def export(
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FILE", help="The .onnx file to write.", show_default=False)],
    weights: Annotated[
        str, typer.Option("--weights", metavar="W", help="slim, which comes with Paribus, or a .safetensors FILE.")
    ] = "slim",
) -> None:
    """Write a detector as an ONNX file.

    It is for `detect --weights FILE`, which then needs no PyTorch, and for programs of other kinds. Input `image`
    (1, 3, H, W): float32, red, green, blue of 0 to 255; H and W are multiples of 32. Output `maps` (1, 5, H, W):
    probabilities of text and of a centre line, radius in pixels, cosine and sine of the axis.
    """
    from paribus.cli.files import keep_apart, prepare
    from paribus.errors import ConfigError

    if onnx.suffix != ".onnx":
        raise ConfigError(f"--onnx {onnx}: a name that ends in .onnx is expected, by which detect knows it")
    if weights.endswith(".onnx"):
        raise ConfigError(f"--weights {weights}: ONNX already; a .safetensors file or a name is expected")
    keep_apart([Path(weights)], {"--onnx": onnx})
    onnx = prepare(onnx, "--onnx")

    from paribus.labs.textsnake.detector import torch_for

    with torch_for(weights):
        from paribus.labs.textsnake.export import export_onnx
        from paribus.labs.textsnake.weights_file import load_weights

    export_onnx(load_weights(weights), onnx)
    print(f"{_shown(onnx)}: {onnx.stat().st_size / 1e6:.1f} MB; paribus textsnake detect IMAGE... --weights {onnx}")


@app.command()
def evaluate(
    ground_truth: GroundTruth,
    data: DataSet,
    split: Annotated[str, typer.Option("--split", metavar="SPLIT", help="test or train.")] = "test",
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol", metavar="P", help="deteval, ctw1500, icdar2015 or msra_td500; by default the data set's own."
        ),
    ] = None,
    tr: Annotated[
        float | None,
        typer.Option("--tr", metavar="SHARE", help="deteval: share of a text that must be covered; by default 0.7."),
    ] = None,
    tp: Annotated[
        float | None,
        typer.Option("--tp", metavar="SHARE", help="deteval: share of a find that must be text; by default 0.6."),
    ] = None,
    iou: Annotated[
        float | None,
        typer.Option("--iou", metavar="SHARE", help="The others: agreement that a find must exceed; by default 0.5."),
    ] = None,
    skip_broken: SkipBroken = False,
    size: _Size = SIZE,
    weights: _Weights = "slim",
    device: Device = "cpu",
) -> None:
    """Score the detector on a published data set.

    Recall, precision and F over all images are printed with the protocol and its thresholds. How maps become texts is
    the detector's own: its thresholds of probability are those of detect.
    """
    from paribus.cli.terminal import one_line, say
    from paribus.labs.textsnake.detector import Detector
    from paribus.labs.textsnake.published import finds_of, own_protocol, published, scored

    _check_device(device, weights)
    images = published(data, ground_truth, split, skip_broken=skip_broken)
    protocol = protocol or own_protocol(data)
    thresholds = {"tr": tr, "tp": tp, "iou": iou}
    scored([], [], protocol, thresholds)  # a wrong threshold is told before hours are spent
    with _getting_ready():
        detector = Detector(weights, size=size, device=device)
        detector.warm()
    truths, finds = [], []
    with _progress(len(images)) as went_on:
        for image, found in finds_of(images, detector):
            if found is not None:
                truths.append(image.instances)
                finds.append(found)
            went_on()
    for problem in images.problems:
        say(f"note: left out: {one_line(problem)}")
    print(f"{data}, {split}: {scored(truths, finds, protocol, thresholds)}")


app.command()(train)
