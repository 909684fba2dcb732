"""The view of one optimisation, and pictures made of letters."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from paribus.report import blocks
from paribus.report.live import LiveView
from paribus.report.watch import Watch
from paribus.spec.context import Context, Picture, Progress, Scalars
from paribus.spec.trial import Event, Finished, Started

from .test_live import TRIALS, Clock

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


@dataclass
class Screen:
    colours: str | None = "truecolor"
    terminal: bool = True
    height: int = 40
    file: io.StringIO = field(default_factory=io.StringIO)

    def console(self) -> Console:
        return Console(
            file=self.file,
            width=80,
            height=self.height,
            force_terminal=self.terminal,
            color_system=self.colours,  # type: ignore[arg-type]
            legacy_windows=False,
        )


def drawn(shown: RenderableType, height: int = 40) -> str:
    console = Screen(height=height).console()
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 20))
def test_letters_hold_two_pixels_each(height: int, width: int, columns: int, rows: int) -> None:
    text = blocks.half_blocks(np.zeros((height, width, 3), np.uint8), columns=columns, rows=rows)
    lines = text.plain.split("\n")
    assert len(lines) <= rows
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= min(columns, width)
    assert set(text.plain) <= {"▀", "\n"}


def test_a_letters_colours_are_its_pixels() -> None:
    text = blocks.half_blocks(PIXELS, columns=32, rows=12)
    letters = [span.style for span in text.spans]
    assert len(letters) == 12 * 32
    for place, style in enumerate(letters):
        row, column = divmod(place, 32)
        upper, lower = (tuple(map(int, PIXELS[2 * row + i, column])) for i in (0, 1))
        assert tuple(style.color.triplet) == upper  # type: ignore[union-attr]
        assert tuple(style.bgcolor.triplet) == lower  # type: ignore[union-attr]


def test_an_odd_last_row_has_nothing_below() -> None:
    text = blocks.half_blocks(PIXELS[:3], columns=32, rows=12)
    assert text.spans[-1].style.bgcolor is None  # type: ignore[union-attr]


def watching(screen: Screen, clock: Clock, title: str = "inverting conv3_1 [x]") -> Watch:
    return Watch(title, screen.console(), clock=clock)


def test_a_terminal_shows_bar_loss_and_image_within_its_width() -> None:
    clock = Clock()
    watch = watching(Screen(), clock)
    watch.__enter__()
    context = Context(seed=0, emit=watch)
    context.progress(1, 200)
    context.scalars(1, loss=0.5, rate=0.1)
    clock.now = 20.0
    context.progress(101, 200, "on 3 images")
    context.picture("image", PIXELS)
    shown = watch._picture()
    watch.__exit__(None, None, None)
    text = drawn(shown)
    plain = io.StringIO()
    Console(file=plain, width=80, color_system=None).print(shown)
    lines = plain.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("inverting conv3_1 [x]")
    assert "on 3 images, loss 0.5, rate 0.1" in plain.getvalue()
    assert "step 101 of 200" in lines[-1]
    assert "20 s gone, about 20 s left" in lines[-1]
    red, green, blue = map(int, PIXELS[0, 0])
    assert f"38;2;{red};{green};{blue}" in text


@pytest.mark.parametrize("screen", [Screen(colours="256"), Screen(colours=None), Screen(height=7)])
def test_a_terminal_that_cannot_shows_no_image(screen: Screen) -> None:
    watch = watching(screen, Clock())
    watch(Picture("image", PIXELS))
    assert "▀" not in drawn(watch._picture())


def test_the_image_leaves_room_for_the_rest() -> None:
    for height in range(8, 40):
        watch = watching(Screen(height=height), Clock())
        watch(Picture("image", PIXELS))
        watch(Picture("original", PIXELS))
        text = drawn(watch._picture(), height)
        assert len(text.splitlines()) < height
        assert ("original" in text) == (height >= 9)


def test_elsewhere_there_are_plain_lines_and_few() -> None:
    screen, clock = Screen(terminal=False, colours=None), Clock()
    with watching(screen, clock) as watch:
        for step in range(1, 301):
            clock.now = step / 10
            watch(Progress(step, 300))
            watch(Scalars(step, {"loss": 1 / step}))
            watch(Picture("image", PIXELS))
    lines = screen.file.getvalue().splitlines()
    assert lines[0] == "inverting conv3_1 [x]: step 100 of 300, loss 0.0101, about 20 s left"
    assert lines[-1] == "inverting conv3_1 [x]: step 300 of 300, loss 0.003333, done in 30 s"
    assert len(lines) == 4
    assert "\x1b" not in screen.file.getvalue()


def test_what_breaks_off_is_not_called_done() -> None:
    screen = Screen(terminal=False, colours=None)
    with pytest.raises(ValueError, match="broken"), watching(screen, Clock()):
        raise ValueError("broken")
    assert screen.file.getvalue() == ""


def test_a_study_shows_the_images_of_its_running_trials() -> None:
    view = LiveView(Screen().console(), clock=Clock())
    view.planned(TRIALS, done=0)
    for trial in TRIALS[:2]:
        view.event(Event(trial.key, Started(7)))
        view.event(Event(trial.key, Picture("image", PIXELS)))
    text = drawn(view._picture())
    assert text.count("demo/base  seed 0") == 2, "beside its bar, and under its image"
    assert "▀" in text
    for trial in TRIALS[:2]:
        view.event(Event(trial.key, Finished("completed", {"accuracy": 0.5}, 1.0)))
    assert "▀" not in drawn(view._picture())


def test_many_images_take_no_more_than_the_width() -> None:
    for count in range(1, 9):
        shown = blocks.side_by_side({f"image {i}": PIXELS for i in range(count)}, width=80, height=12)
        assert shown is not None
        plain = io.StringIO()
        Console(file=plain, width=200, color_system=None).print(shown)
        assert max(len(line.rstrip()) for line in plain.getvalue().splitlines()) <= 80
