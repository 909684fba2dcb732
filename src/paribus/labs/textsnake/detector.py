"""The detector: pictures in, text instances in the picture's own pixels out. Torch is loaded only where it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paribus.data.memory import says_no_memory, too_many
from paribus.data.pictures import as_picture, read_picture
from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.seen_at import MULTIPLE, SIZE, seen_at

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
TR_THRESHOLD, TCL_THRESHOLD, LEAST_SCORE = 0.3, 0.15, 0.7
"""What the shipped weights find most with, on 80 validation scenes (``bench/textsnake_thresholds.py``): an F of 0.903
(DetEval 0.7/0.6) against 0.824 at the paper's 0.4 and 0.6 without a least score."""

COMPILING = "about 20 seconds"
"""How long decoding is compiled, once after an installation."""


class Network(Protocol):
    """What gives the maps of a picture."""

    def __call__(self, picture: Picture) -> Floats:
        """Return probabilities of text and centre line, radius, cos, sin, (5, H, W), of (H, W, 3) in 0 to 255."""
        ...


class Detector:
    """Finds text of any shape.

    >>> for text in Detector().detect("sign.jpg"):          # doctest: +SKIP
    ...     print(text.score, text.polygon)

    The first call after an installation takes longer by :data:`COMPILING`: decoding is compiled then, and kept on disk.

    Args:
        weights: ``slim``, which comes with Paribus; a .safetensors file of this lab; or an .onnx file that
            ``paribus textsnake export`` has written, which needs onnxruntime and no torch.
        size: the longest side in pixels at which pictures are looked at (of a long strip see :func:`.seen_at`). In
            the scenes that the shipped weights were trained on text is 10 to 80 pixels high.
        device: where torch computes: ``cpu``, ``cuda``, ...; an .onnx file is computed on the processor.
        tr_threshold: least probability of the text region (T_tr of Long et al. 2018, there 0.4).
        tcl_threshold: least probability of the centre line (T_tcl, there 0.6).
        least_score: what scores less is left out, 0..1; 0 leaves out nothing.

    Raises:
        DataError: no such weights, or they are broken.
        ConfigError: a size, a threshold or a device makes no sense, or onnxruntime is not installed.
    """

    def __init__(
        self,
        weights: str | Path = "slim",
        *,
        size: int = SIZE,
        device: str = "cpu",
        tr_threshold: float = TR_THRESHOLD,
        tcl_threshold: float = TCL_THRESHOLD,
        least_score: float = LEAST_SCORE,
    ) -> None:
        if not (isinstance(size, int | float | np.number) and size >= MULTIPLE):
            raise ConfigError(f"size {size}: at least {MULTIPLE} pixels are expected")
        for name, value in (("tr_threshold", tr_threshold), ("tcl_threshold", tcl_threshold)):
            if not (isinstance(value, int | float | np.number) and 0 < value < 1):
                raise ConfigError(f"{name} {value}: a probability between 0 and 1 is expected")
        if not (isinstance(least_score, int | float | np.number) and 0 <= least_score <= 1):
            raise ConfigError(f"least_score {least_score}: a score of 0 to 1 is expected")
        self.size, self.tr_threshold, self.tcl_threshold = size, tr_threshold, tcl_threshold
        self.least_score = least_score
        self.network: Network = _network(weights, device)

    def warm(self) -> None:
        """Compute once on next to nothing, so that the first picture takes no longer than the others."""
        ones = np.ones((MULTIPLE, MULTIPLE), np.float32)
        with _told(MULTIPLE, MULTIPLE):
            self.network(np.zeros((MULTIPLE, MULTIPLE, 3), np.uint8))
        decode(ones, ones, MULTIPLE / 4 * ones, ones, 0 * ones)

    def detect(self, image: Path | str | NDArray[Any] | Image.Image) -> list[Instance]:
        """Return the text in *image*, surest first, in its own pixels.

        Args:
            image: a file or an image of Pillow, of any size, mode and EXIF orientation; or an array (H, W), (H, W, 1),
                (H, W, 3) or (H, W, 4) of uint8, uint16, bool or floating values from 0 to 1. Pixels are counted in the
                upright image.

        Raises:
            DataError: it is no picture that can be read, or too large at this size for the memory, or the network
                fails on it.
        """
        picture = read_picture(image) if isinstance(image, str | Path) else as_picture(image)
        height, width = picture.shape[:2]
        with _told(width, height):
            return self._found(picture)

    def _found(self, picture: Picture) -> list[Instance]:
        height, width = picture.shape[:2]
        seen = seen_at(width, height, self.size)
        if seen != (width, height):
            picture = np.asarray(cv2.resize(picture, seen, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        rows, columns = picture.shape[:2]
        maps = self.network(padded(picture))[:, :rows, :columns]
        found = decode(*maps, tr_threshold=self.tr_threshold, tcl_threshold=self.tcl_threshold)
        across, down = width / columns, height / rows
        sure = [text for text in found if text.score >= self.least_score]
        return [_enlarged(text, across, down) for text in sorted(sure, key=lambda text: -text.score)]


@contextmanager
def _told(width: int, height: int) -> Iterator[None]:
    """Make one line of what the libraries raise on a picture of this size; what else is raised is a bug, and stays."""
    try:
        yield
    except Exception as error:
        kinds = (MemoryError, RuntimeError, cv2.error)
        if not isinstance(error, kinds) and not type(error).__module__.startswith("onnxruntime"):
            raise
        if says_no_memory(error):
            raise too_many(width, height, "look at a smaller size") from error
        said = " ".join(str(error).split())
        kind = f"{type(error).__module__.partition('.')[0]}.".removeprefix("builtins.") + type(error).__name__
        raise DataError(f"{width}x{height} pixels: they cannot be looked at ({kind}: {said[:200]})") from error


def padded(picture: Picture) -> Picture:
    """Return *picture* with its last rows and columns repeated until both sides are multiples of 32."""
    down, right = (-length % MULTIPLE for length in picture.shape[:2])
    return np.pad(picture, ((0, down), (0, right), (0, 0)), mode="edge")


def _enlarged(text: Instance, across: float, down: float) -> Instance:
    """Return *text* in a picture so many times as wide and as high; pixels are areas, so centres move by a half."""
    by = np.array([across, down])
    disks = text.disks.copy()
    disks[:, :2] = (disks[:, :2] + 0.5) * by - 0.5
    disks[:, 2] *= np.sqrt(across * down)
    return Instance(polygon=(text.polygon + 0.5) * by - 0.5, disks=disks, score=text.score)


def _network(weights: str | Path, device: str) -> Network:
    if not isinstance(weights, str | Path):
        raise ConfigError(f"weights {weights!r}: slim, or the path of a .safetensors or .onnx file, is expected")
    if str(weights).endswith(".onnx"):
        if device != "cpu":
            raise ConfigError(f"{weights} on {device}: onnxruntime computes on the cpu here; leave the device out")
        return Onnx(Path(weights).expanduser())
    return Torch(weights, device)


@contextmanager
def torch_for(weights: str | Path) -> Iterator[None]:
    """Make one line of it where torch, which *weights* need, cannot be imported."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").startswith("paribus"):
            raise
        said = " ".join(str(error).split())
        raise ConfigError(f"weights {weights}: they need PyTorch ({said}); an .onnx file needs none") from error


class Torch:
    """The network in torch, batch norm folded into the convolutions."""

    def __init__(self, weights: str | Path, device: str) -> None:
        with torch_for(weights):
            import torch

            from paribus.labs.textsnake.export import Maps5
            from paribus.labs.textsnake.weights_file import load_weights

        try:
            self._device = torch.device(device)
            torch.empty(0, device=self._device)
        except (RuntimeError, AssertionError):
            raise ConfigError(f"device {device!r}: PyTorch has no such device here; cpu works everywhere") from None
        self._model = Maps5(load_weights(weights)).to(self._device).to(memory_format=torch.channels_last).eval()

    def __call__(self, picture: Picture) -> Floats:
        import torch

        with torch.inference_mode():
            image = torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None].float()
            return np.asarray(self._model(image)[0].float().cpu().numpy(), dtype=np.float32)


class Onnx:
    """The network in onnxruntime, on so many threads of the processor; 0: as many as there are cores."""

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise ConfigError(f"{path}: onnxruntime is not installed; pip install 'paribus[onnx]' brings it") from None
        if not path.is_file():
            raise DataError(f"{path}: no such file of weights")
        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.log_severity_level = 4  # what it has to say of a broken file, the error says
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a dozen kinds of error, none of them public
            raise DataError(f"{path}: not a model that onnxruntime reads ({type(error).__name__})") from None
        sides = (self._session.get_inputs(), self._session.get_outputs())
        if not all(_fits(values, *what) for values, what in zip(sides, (("image", 3), ("maps", 5)), strict=True)):
            told = "; ".join(f"{value.name} {value.type} {value.shape}" for values in sides for value in values)
            raise DataError(
                f"{path}: a model of something else ({told}); one that `paribus textsnake export` wrote is expected, "
                "image (1, 3, H, W) to maps (1, 5, H, W) in float32, for any H and W"
            )
        self._path = path

    def __call__(self, picture: Picture) -> Floats:
        image = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)
        maps = np.asarray(self._session.run(["maps"], {"image": image})[0], dtype=np.float32)
        expected = (1, 5, *picture.shape[:2])
        if maps.shape != expected:
            raise DataError(f"{self._path}: gives maps of {maps.shape} where {expected} is expected; export it again")
        return np.asarray(maps[0])


def _fits(values: Sequence[Any], name: str, channels: int) -> bool:
    """Tell whether *values*, of a model in onnxruntime, are *name* alone: (1, channels, H, W), whatever H and W."""
    if len(values) != 1 or values[0].name != name or values[0].type != "tensor(float)" or len(values[0].shape) != 4:
        return False
    batch, among, *lengths = (length if isinstance(length, int) else None for length in values[0].shape)
    return batch in (1, None) and among in (channels, None) and lengths == [None, None]
