"""A lazy sequence of annotated images: each item is read, and checked against its image, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import overload

from PIL import Image, UnidentifiedImageError

from paribus.data.text_sets.annotation import (
    AnnotatedImage,
    Annotation,
    BrokenAnnotation,
    Size,
    inside,
    region,
    within,
)
from paribus.errors import DataError

Entry = tuple[str, Callable[[], Annotation | None]]
"""Where an annotation stands, and what makes it or raises DataError; None is an entry that marks nothing."""

UNREADABLE: Size = (0, 0)
"""The size of an image whose file cannot be read, where what is broken is left out."""


class AnnotatedImages(Sequence[AnnotatedImage]):
    """The images of a split, in natural order of their names. A slice is another such sequence, still lazy."""

    def __init__(
        self,
        paths: Sequence[Path],
        entries: Callable[[int], Iterable[Entry]],
        *,
        skip_broken: bool = False,
        problems: Iterable[str] = (),
    ) -> None:
        """Make the sequence of *paths*; *entries* gives the annotations of the image at an index."""
        self._paths = paths
        self._entries = entries
        self._places: Sequence[int] = range(len(paths))
        self._skip_broken = skip_broken
        self._problems = dict.fromkeys(problems)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was left out so far, each said once: files at first, the rest as images are read."""
        return tuple(self._problems)

    @property
    def skip_broken(self) -> bool:
        """Whether what is broken is left out; else it raises."""
        return self._skip_broken

    def leave_out(self, problem: str) -> None:
        """Add to ``problems`` what a reader of the pixels had to leave out."""
        self._problems[problem] = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the images are."""
        return tuple(self._paths[place] for place in self._places)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> AnnotatedImage: ...
    @overload
    def __getitem__(self, index: slice) -> AnnotatedImages: ...
    def __getitem__(self, index: int | slice) -> AnnotatedImage | AnnotatedImages:
        if isinstance(index, slice):
            part = AnnotatedImages(self._paths, self._entries, skip_broken=self._skip_broken)
            part._places, part._problems = self._places[index], self._problems
            return part
        place = self._places[index]
        path = self._paths[place]
        try:
            size = _size(path)
        except DataError as error:
            if not self._skip_broken:
                raise
            self.leave_out(str(error))
            return AnnotatedImage(path, (), UNREADABLE)
        try:
            return AnnotatedImage(path, tuple(self._instances(place, size)), size)
        except DataError as error:
            if not self._skip_broken:
                raise
            self.leave_out(str(error))
            width, height = size
            corners = [(0, 0), (width, 0), (width, height), (0, height)]
            return AnnotatedImage(path, (region(corners),), size)

    def _instances(self, place: int, size: Size) -> Iterable[Annotation]:
        """Yield the annotations of an image; DataError where one is broken, or, skipping those, where all are.

        What is skipped becomes do-not-care where it says about where its text is.
        """
        for where, make in self._entries(place):
            try:
                found = make()
                if found is not None:
                    yield inside(where, found, size)
            except DataError as error:
                if not self._skip_broken:
                    raise
                self.leave_out(str(error))
                known = error.place() if isinstance(error, BrokenAnnotation) else None
                if known is not None and within(known, size):
                    yield known


def _size(path: Path) -> Size:
    """Return width and height of an image, from its header alone."""
    try:
        with Image.open(path) as image:
            return image.size
    except FileNotFoundError:
        raise DataError(f"{path}: the image is missing; put it there or leave out its annotation") from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: not an image that can be read ({reason}); JPEG or PNG is expected") from None
