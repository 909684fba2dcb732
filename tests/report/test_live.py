"""The view of a running study, and how long it says that will take."""

from __future__ import annotations

import heapq
import io
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from paribus.report.countdown import Countdown
from paribus.report.live import LiveView
from paribus.spec.context import Progress, Scalars
from paribus.spec.experiment import build
from paribus.spec.field_change import field_changes
from paribus.spec.lab import Lab
from paribus.spec.trial import Conditions, Event, Finished, Started, Trial


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Config:
    rate: float = 0.1


LAB = Lab(name="demo", question="?", baseline=Config(), run=lambda config, context: {}, changes=field_changes(Config()))
TRIALS = [
    Trial(build(LAB, (segment,)), seed, Conditions("cpu", 1, "code"))
    for seed in range(3)
    for segment in ("base", "rate=0.3")
]


@dataclass
class Screen:
    terminal: bool = False
    file: io.StringIO = field(default_factory=io.StringIO)
    clock: Clock = field(default_factory=Clock)

    def view(self, width: int = 80) -> LiveView:
        console = Console(file=self.file, width=width, force_terminal=self.terminal, color_system=None)
        return LiveView(console, metric="accuracy", clock=self.clock)


def test_without_a_terminal_each_result_is_a_plain_line() -> None:
    screen = Screen()
    with screen.view() as view:
        view.planned(TRIALS[:3], done=1)
        for trial in TRIALS[:3]:
            view.event(Event(trial.key, Started(7)))
        view.event(Event(TRIALS[0].key, Progress(1, 10)))
        view.event(Event(TRIALS[0].key, Scalars(3, {"loss": 0.5})))
        screen.clock.now = 30.0
        view.event(Event(TRIALS[0].key, Finished("completed", {"loss": 0.1, "accuracy": 0.9312}, 30.0)))
        view.event(Event(TRIALS[1].key, Finished("diverged", {}, 12.0, "the loss is nan [at step 3]")))
        view.event(
            Event(TRIALS[2].key, Finished("failed", {}, 12.0, "ValueError: bad (my_lab.py:3)\nTraceback\n  File x"))
        )
    lines = screen.file.getvalue().splitlines()
    assert lines[0] == "3 trials to run, 1 done already"
    assert lines[1].startswith("[2/4] ✓ demo/base  seed 0  accuracy 93.12 %  30 s  about ")
    assert lines[2].startswith("[3/4] ∞ demo/rate=0.3  seed 0  diverged: the loss is nan [at step 3]  12 s")
    assert lines[3] == "[4/4] ✗ demo/base  seed 1  failed: ValueError: bad (my_lab.py:3)  12 s"
    assert len(lines) == 4
    assert "\x1b" not in screen.file.getvalue()


def test_a_terminal_shows_workers_whole_and_results_within_its_width() -> None:
    screen = Screen(terminal=True)
    view = screen.view()
    ready = io.StringIO()
    Console(file=ready, width=80).print(view._picture())
    assert "getting ready" in ready.getvalue()
    assert "0 of 0" not in ready.getvalue()
    view.planned(TRIALS, done=0)
    view.event(Event(TRIALS[0].key, Started(7)))
    view.event(Event(TRIALS[1].key, Progress(3, 10)))
    view.event(Event(TRIALS[2].key, Finished("completed", {"accuracy": 0.5}, 1.0)))
    file = io.StringIO()
    Console(file=file, width=80).print(view._picture())
    shown = file.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    for part in ("demo/base  seed 0", "demo/rate=0.3  seed 0", "30%", "1 of 6 trials", "accuracy 50.00 %"):
        assert part in shown


def test_what_a_trial_is_at_stands_below_its_name_until_it_says_no_more() -> None:
    screen = Screen(terminal=True)
    view = screen.view()
    view.planned(TRIALS, done=0)

    def lines() -> list[str]:
        file = io.StringIO()
        Console(file=file, width=80).print(view._picture())
        return [line.rstrip() for line in file.getvalue().splitlines()]

    view.event(Event(TRIALS[0].key, Progress(1, 10, "apgd_t, attack 2 of 3, on 41 of 100 images")))
    view.event(Event(TRIALS[1].key, Progress(3, 10)))
    shown = lines()
    assert shown[0].startswith("demo/base  seed 0")
    assert shown[1] == "  apgd_t, attack 2 of 3, on 41 of 100 images"
    assert shown[2].startswith("demo/rate=0.3  seed 0")
    view.event(Event(TRIALS[0].key, Progress(2, 10)))
    assert len(lines()) == len(shown) - 1
    view.event(Event(TRIALS[0].key, Progress(3, 10, "the end")))
    view.event(Event(TRIALS[0].key, Finished("completed", {"accuracy": 0.5}, 1.0)))
    assert not any("the end" in line for line in lines())


def test_whose_trials_are_waited_for_is_said_once_and_shown_as_long() -> None:
    plain, screen = Screen(), Screen(terminal=True)
    keys = [trial.key for trial in TRIALS]
    with plain.view() as told:
        shown = screen.view()
        for view in (told, shown):
            view.planned(TRIALS, done=0)
            view.waiting(dict.fromkeys(keys, "process 7 on here"))
            view.waiting(dict.fromkeys(keys[1:], "process 7 on here"))
            view.event(Event(keys[0], Finished("completed", {"accuracy": 0.5}, 1.0)))
        told.waiting({keys[1]: "process 7 on here", keys[2]: "process 8 on another machine"})
    lines = [line for line in plain.file.getvalue().splitlines() if "waiting" in line]
    assert lines == [
        "waiting for 6 trials of process 7 on here",
        "waiting for 2 trials of process 7 on here, process 8 on another machine",
    ]

    def picture(width: int) -> list[str]:
        file = io.StringIO()
        Console(file=file, width=width).print(shown._picture())
        return [line.rstrip() for line in file.getvalue().splitlines()]

    assert picture(80)[-2] == "waiting for 5 trials of process 7 on here"
    assert max(map(len, picture(30))) <= 30
    shown.event(Event(keys[1], Started(7)))
    assert not any("waiting" in line for line in picture(80)), "there is work of one's own again"


def test_a_second_plan_starts_the_count_anew() -> None:
    screen = Screen()
    with screen.view() as view:
        view.planned(TRIALS[:1], done=0)
        view.event(Event(TRIALS[0].key, Finished("completed", {"accuracy": 0.5}, 1.0)))
        view.planned(TRIALS[1:2], done=1)
        view.event(Event(TRIALS[1].key, Finished("completed", {"accuracy": 0.5}, 1.0)))
        view.event(Event("unknown", Finished("completed", {"accuracy": 0.5}, 1.0)))
    assert [line[:5] for line in screen.file.getvalue().splitlines() if line[0] == "["] == ["[1/1]", "[2/2]"]


def test_nothing_is_said_before_there_is_anything_to_judge_by() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    countdown.plan({"a": "x", "b": "x"})
    assert countdown.left() is None
    countdown.progress("a", 0.0)
    clock.now = 1.0
    countdown.progress("a", 0.01)
    assert countdown.left() is None, "a first step that compiles says nothing about the others"
    clock.now = 5.0
    countdown.progress("a", 0.05)
    assert countdown.left() == pytest.approx(95 + 100)


@given(
    st.lists(st.sampled_from([10.0, 40.0]), min_size=1, max_size=20),
    st.integers(1, 4),
    st.floats(0.2, 0.95),
)
def test_at_a_constant_pace_the_time_left_is_right(lengths: list[float], workers: int, when: float) -> None:
    """Simulate workers that take trials in order; each experiment has its length. Ask at *when*, a share."""
    clock = Clock()
    countdown = Countdown(clock)
    countdown.plan({f"{i}": f"{length}" for i, length in enumerate(lengths)})
    free = [0.0] * workers
    spans = []
    for length in lengths:
        start = heapq.heappop(free)
        spans.append((start, start + length))
        heapq.heappush(free, start + length)
    end = max(finish for _, finish in spans)
    events = [(start + share * (stop - start), share, i) for i, (start, stop) in enumerate(spans) for share in TENTHS]
    # A worker ends one trial before it begins the next.
    for time, share, i in sorted(events, key=lambda event: (event[0], -event[1])):
        if time > when * end:
            break
        clock.now = time
        countdown.finish(f"{i}") if share == 1 else countdown.progress(f"{i}", share)
    left = countdown.left()
    if left is None:
        assert clock.now < 10, "a tenth of the shortest trial, twice, is enough"
        return
    # Trials of a kind that has not been seen yet are taken to be like the others: at worst four times off.
    assert left <= 4 * (end - clock.now) + 1e-6
    assert left >= (end - clock.now) / 4 - 1e-6
    if len({*lengths}) == 1:
        assert left == pytest.approx(end - clock.now, abs=1e-6)


TENTHS = [i / 10 for i in range(11)]


def test_a_resumed_trial_does_not_look_fast() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    countdown.plan({"a": "x", "b": "x"})
    countdown.start("a")
    countdown.progress("a", 0.8)
    clock.now = 20.0
    countdown.finish("a")
    countdown.start("b")
    assert countdown.left() == pytest.approx(100)


def test_coarse_reports_are_not_taken_for_a_resumption() -> None:
    clock = Clock()
    countdown = Countdown(clock)
    countdown.plan({"a": "x", "b": "x"})
    countdown.start("a")
    clock.now = 50.0
    countdown.progress("a", 0.5)
    clock.now = 100.0
    countdown.finish("a")
    countdown.start("b")
    assert countdown.left() == pytest.approx(100)
