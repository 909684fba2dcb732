"""Runners: a crash of one trial never takes the others, and nothing goes on after the conductor has gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from paribus.run.local import InProcessRunner, LocalRunner
from paribus.run.runner import Runner
from paribus.spec import registry
from paribus.spec.context import Picture, Progress, Scalars
from paribus.spec.source import digest
from paribus.spec.trial import Conditions, Event, Finished, Started, Trial

LAB = '''"""Does it survive?"""
import multiprocessing, os, sys, time
import numpy as np
from dataclasses import dataclass
from paribus import Diverged

@dataclass(frozen=True)
class Config:
    mode: str = "ok"

def run(config, context):
    context.progress(1, 2)
    context.scalars(1, loss=0.5)
    if config.mode == "crash":
        os.kill(os.getpid(), 11)
    if config.mode == "exit":
        os._exit(7)
    if config.mode == "raise":
        raise ValueError("boom")
    if config.mode == "nan":
        return {"accuracy": float("nan"), "loss": 1.0}
    if config.mode == "diverge":
        raise Diverged("loss is infinite", step=12)
    if config.mode == "empty":
        return {}
    if config.mode == "text":
        return {"accuracy": "high"}
    if config.mode == "objects":
        context.artifact("things", np.array([{}, {}], dtype=object))
    if config.mode == "step":
        context.scalars("epoch 1", loss=0.5)
    if config.mode == "children":
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return {"accuracy": float(sum(pool.map(abs, [-1, -2])))}
    if config.mode == "picture":
        for value in range(200):
            context.picture("image", np.full((200, 300, 3), value, np.uint8))
    if config.mode == "huge":
        return {"accuracy": -(10**400), "loss": 1.0}
    if config.mode == "sleep":
        time.sleep(60)
    if config.mode == "threads":
        return {"accuracy": float(os.environ["OMP_NUM_THREADS"])}
    return {"accuracy": context.streams.generator("noise").normal()}
'''


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "my_lab.py"
    path.write_text(LAB)
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Callable[[str], Path]:
    return lambda key: tmp_path / "scratch" / key


def trials(lab: Path, *modes: str, threads: int = 1) -> list[Trial]:
    conditions = Conditions("cpu", threads, digest(registry.lab(str(lab))))
    names = [f"{lab}/base" if mode == "ok" else f"{lab}/mode={mode}" for mode in modes]
    return [Trial(registry.experiment(name), seed, conditions) for seed, name in enumerate(names)]


def outcomes(runner: Runner, planned: list[Trial], scratch: Callable[[str], Path]) -> dict[int, Finished]:
    seed_of = {trial.key: trial.seed for trial in planned}
    events = list(runner.run(planned, scratch))
    return {seed_of[event.key]: event.what for event in events if isinstance(event.what, Finished)}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_kind_of_end_is_an_outcome(lab: Path, scratch: Callable[[str], Path], workers: int) -> None:
    modes = ("ok", "crash", "exit", "raise", "nan", "diverge", "empty", "text", "ok", "huge")
    found = outcomes(LocalRunner(workers=workers), trials(lab, *modes), scratch)
    words = [found[seed].outcome for seed in range(len(modes))]
    assert words[:6] == ["completed", "failed", "failed", "failed", "diverged", "diverged"]
    assert words[6:] == ["failed", "failed", "completed", "diverged"]
    assert "SIGSEGV" in found[1].message
    assert "exit code 7" in found[2].message
    assert "ValueError: boom" in found[3].message
    assert found[4].metrics == {"loss": 1.0}
    assert found[4].message == "not finite: accuracy"
    assert found[5].message == "loss is infinite at step 12"
    assert "one or more; it returned {}" in found[6].message
    assert "'accuracy' is 'high'" in found[7].message
    assert (found[9].metrics, found[9].message) == ({"loss": 1.0}, "not finite: accuracy")


def test_a_report_that_is_none_fails_its_trial_alone(lab: Path, scratch: Callable[[str], Path]) -> None:
    found = outcomes(LocalRunner(workers=2), trials(lab, "objects", "step", "ok"), scratch)
    assert [found[seed].outcome for seed in range(3)] == ["failed", "failed", "completed"]
    assert "artifact 'things' is an array of object" in found[0].message


def test_a_trial_may_have_processes_of_its_own(lab: Path, scratch: Callable[[str], Path]) -> None:
    assert outcomes(LocalRunner(workers=1), trials(lab, "children"), scratch)[0].metrics == {"accuracy": 3.0}


def test_both_runners_give_the_same_numbers(lab: Path, scratch: Callable[[str], Path]) -> None:
    planned = trials(lab, "ok", "ok", "ok")
    near, far = outcomes(InProcessRunner(), planned, scratch), outcomes(LocalRunner(workers=2), planned, scratch)
    assert [near[seed].metrics for seed in range(3)] == [far[seed].metrics for seed in range(3)]
    assert len({near[seed].metrics["accuracy"] for seed in range(3)}) == 3


def test_reports_come_in_order(lab: Path, scratch: Callable[[str], Path]) -> None:
    events = [event.what for event in LocalRunner(workers=1).run(trials(lab, "ok"), scratch)]
    assert isinstance(events[0], Started)
    assert events[1:3] == [Progress(1, 2), Scalars(1, {"loss": 0.5})]
    assert isinstance(events[3], Finished)


def test_a_picture_comes_through_small_and_once(lab: Path, scratch: Callable[[str], Path]) -> None:
    events = [event.what for event in LocalRunner(workers=1).run(trials(lab, "picture"), scratch)]
    (picture,) = [what for what in events if isinstance(what, Picture)]
    assert picture.name == "image"
    np.testing.assert_array_equal(picture.pixels, np.zeros((50, 75, 3), np.uint8))
    assert isinstance(events[-1], Finished)
    assert events[-1].outcome == "completed"


def test_a_trial_computes_with_the_threads_it_was_given(lab: Path, scratch: Callable[[str], Path]) -> None:
    found = outcomes(LocalRunner(workers=1, threads=2), trials(lab, "threads", threads=2), scratch)
    assert found[0].metrics == {"accuracy": 2.0}


def test_closing_the_events_ends_the_trials(lab: Path, scratch: Callable[[str], Path]) -> None:
    events = LocalRunner(workers=2).run(trials(lab, "sleep", "sleep"), scratch)
    started = next(event.what for event in events if isinstance(event.what, Started))
    events.close()
    assert not psutil.pid_exists(started.pid)


def test_trials_end_when_their_conductor_is_killed(lab: Path, tmp_path: Path) -> None:
    script = tmp_path / "conductor.py"
    script.write_text(
        textwrap.dedent(f"""
        from pathlib import Path
        from paribus.run.local import LocalRunner
        from paribus.spec import registry
        from paribus.spec.source import digest
        from paribus.spec.trial import Conditions, Started, Trial
        trial = Trial(registry.experiment("{lab}/mode=sleep"), 0, Conditions("cpu", 1, digest(registry.lab("{lab}"))))
        for event in LocalRunner(workers=1).run([trial], lambda key: Path("{tmp_path}") / key):
            if isinstance(event.what, Started):
                print(event.what.pid, flush=True)
        """)
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as conductor:
        assert conductor.stdout is not None
        pid = int(conductor.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(conductor.pid, signal.SIGKILL)
        conductor.wait()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the trial outlived its conductor"
        time.sleep(0.05)


def test_a_script_without_a_main_guard_runs_once(lab: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        from pathlib import Path
        from paribus.run.local import LocalRunner
        from paribus.spec import registry
        from paribus.spec.source import digest
        from paribus.spec.trial import Conditions, Finished, Trial
        print("script")
        trial = Trial(registry.experiment("{lab}/base"), 0, Conditions("cpu", 1, digest(registry.lab("{lab}"))))
        for event in LocalRunner(workers=1).run([trial], lambda key: Path("{tmp_path}") / key):
            if isinstance(event.what, Finished):
                print(event.what.outcome)
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["script", "completed"]


def test_an_event_carries_its_trials_key_even_where_the_name_fails(lab: Path, scratch: Callable[[str], Path]) -> None:
    planned = trials(lab, "ok")
    lab.unlink()
    events = list(LocalRunner(workers=1).run(planned, scratch))
    assert events == [Event(planned[0].key, events[-1].what)]
    assert isinstance(events[-1].what, Finished)
    assert "there is no file" in events[-1].what.message


def test_data_that_was_edited_meanwhile_is_refused(lab: Path, scratch: Callable[[str], Path]) -> None:
    pictures = lab.with_name("pictures.txt")
    pictures.write_text("one")
    text = LAB + (
        "from pathlib import Path\nfrom paribus import Change\n"
        "changes = [Change(name='pictures', doc='x', path='mode',\n"
        f"    before='ok', after=lambda name: Path({str(pictures)!r}).read_text(), parameter=str)]\n"
    )
    lab.write_text(text)
    conditions = Conditions("cpu", 1, digest(registry.lab(str(lab))))
    planned = [Trial(registry.experiment(f"{lab}/pictures=x"), 0, conditions)]
    pictures.write_text("two")
    events = list(LocalRunner(workers=1).run(planned, scratch))
    assert events == [Event(planned[0].key, events[-1].what)]
    assert isinstance(events[-1].what, Finished)
    assert "something else than when the study began" in events[-1].what.message


def test_a_lab_that_was_edited_meanwhile_is_refused(lab: Path, scratch: Callable[[str], Path]) -> None:
    planned = trials(lab, "ok")
    lab.write_text(LAB.replace("0.5", "0.6"))
    assert "was edited while the study ran" in outcomes(LocalRunner(workers=1), planned, scratch)[0].message
