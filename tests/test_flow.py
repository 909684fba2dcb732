"""Conducting a study: nothing runs twice, nothing is lost, and an interruption anywhere changes no result."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import gethostname

import numpy as np
import pytest

from paribus.conductor import Silence
from paribus.errors import ChangeError, ConfigError, RunError, UnknownName
from paribus.flow import ablation, comparison, conduct, current, resolve
from paribus.revisit import revisit
from paribus.run.local import InProcessRunner, LocalRunner
from paribus.run.runner import Claim
from paribus.spec import registry
from paribus.spec.context import Outcomes
from paribus.spec.study import Study
from paribus.spec.trial import Event, Finished, Trial
from paribus.store import Store

LAB = '''"""Does a larger step help?"""
import json, os, time
from dataclasses import dataclass
import numpy as np
from paribus import Change, Diverged, Study

@dataclass(frozen=True)
class Config:
    rate: float = 0.1
    wide: bool = False
    mode: str = "ok"
    steps: int = 20
    pause: float = 0.0

changes = [
    Change(name="better", doc="A rate that helps.", path="rate", before=0.1, after=0.6),
    Change(name="wide", doc="More of it.", path="wide", before=False, after=True),
]
studies = [Study(name="steps", question="Does it help?", control="base", arms=("better", "wide"), metric="accuracy",
                 margin=0.05, seeds=6)]

def run(config, context):
    """A random walk, a draw a step, that goes on from its checkpoint to the bit."""
    saved = context.load_checkpoint()
    step, total = json.loads(saved) if saved else (0, 0.0)
    while step < config.steps:
        total += context.streams.generator(f"noise/step={step}").normal()
        step += 1
        context.progress(step, config.steps)
        context.scalars(step, total=total)
        time.sleep(config.pause)
        if step % 4 == 0:
            context.save_checkpoint(json.dumps([step, total]).encode())
    if config.mode == "raise":
        raise ValueError("boom")
    if config.mode == "diverge" and context.seed % 2:
        raise Diverged("too large")
    skill = 1 / (1 + np.exp(-(config.rate + 0.3 * config.wide + 0.05 * total)))
    right = context.streams.generator("examples").random(200) < skill
    context.outcomes("accuracy", right)
    return {"accuracy": float(right.mean()), "total": total}
'''


@dataclass
class Counting:
    """A runner that counts the trials that it is asked for."""

    inner: InProcessRunner = field(default_factory=InProcessRunner)
    seen: list[str] = field(default_factory=list)
    stop_after: int | None = None
    device: str = "cpu"
    threads: int = 1

    def run(self, trials: Sequence[Trial], claim: Claim) -> Generator[Event]:
        for event in self.inner.run(trials, claim):
            yield event
            if isinstance(event.what, Finished):
                self.seen.append(event.key)
                if self.stop_after is not None and len(self.seen) >= self.stop_after:
                    raise KeyboardInterrupt


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "my_lab.py"
    path.write_text(LAB)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with Store.open(str(tmp_path / "store.sqlite")) as opened:
        yield opened


def study(lab: Path) -> Study:
    return registry.study(f"{lab}.steps")


def test_a_study_runs_to_verdicts(lab: Path, store: Store) -> None:
    done = conduct(study(lab), store=store, runner=InProcessRunner())
    better, wide = done.verdicts
    assert done.ran == 18
    assert better.verdict == "better"
    assert better.n == wide.n == 6
    assert better.generalises == "new seeds and new examples"
    assert better.low < better.difference < better.high
    records = store.trials(experiment=registry.experiment(f"{lab}/better").hash)
    mean = sum(record.metrics["accuracy"] for record in records) / 6
    assert better.mean == pytest.approx(mean)


def test_a_second_run_runs_nothing_and_says_the_same(lab: Path, store: Store) -> None:
    first = conduct(study(lab), store=store, runner=InProcessRunner())
    counting = Counting()
    second = conduct(study(lab), store=store, runner=counting)
    assert second.ran == 0
    assert counting.seen == []
    assert second.verdicts == first.verdicts


def test_a_margin_that_no_share_can_reach_is_refused_and_before_it_runs_where_the_store_knows(
    lab: Path, store: Store
) -> None:
    wide, counting = replace(study(lab), margin=1.0), Counting()
    for ran in (6, 6):
        with pytest.raises(ConfigError, match="the margin 1 is 100 points, for accuracy is a share"):
            conduct(wide, store=store, runner=counting, seeds=2)
        assert len(counting.seen) == ran
    assert conduct(replace(wide, metric="total"), store=store, runner=counting, seeds=2).ran == 0


def test_more_seeds_run_only_the_new_ones(lab: Path, store: Store) -> None:
    conduct(study(lab), store=store, runner=InProcessRunner(), seeds=4)
    more = conduct(study(lab), store=store, runner=InProcessRunner(), seeds=6)
    assert more.ran == 2 * 3
    fewer = conduct(study(lab), store=store, runner=InProcessRunner(), seeds=4)
    assert fewer.verdicts[0].n == 4


def test_studies_share_their_trials(lab: Path, store: Store) -> None:
    conduct(study(lab), store=store, runner=InProcessRunner())
    again = conduct(comparison(f"{lab}/base", [f"{lab}/better"]), store=store, runner=InProcessRunner(), seeds=6)
    assert again.ran == 0


def test_an_interrupted_study_goes_on(lab: Path, store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        conduct(study(lab), store=store, runner=Counting(stop_after=7))
    rest = conduct(study(lab), store=store, runner=InProcessRunner())
    assert rest.ran == 18 - 7


def test_failed_trials_are_tried_again_and_finished_ones_are_not(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/mode=raise"])
    first = conduct(asked, store=store, runner=InProcessRunner(), seeds=3)
    assert first.verdicts[0].failed == 3
    assert first.verdicts[0].verdict == "undecided"
    assert conduct(asked, store=store, runner=InProcessRunner(), seeds=3).ran == 3


def test_a_failing_trial_is_tried_once_a_call(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/mode=raise"])
    counting = Counting()
    conduct(asked, store=store, runner=counting, until_decided=True, max_seeds=8)
    assert len(counting.seen) == len(set(counting.seen)) == 2 * 8


def test_a_metric_that_nobody_measures_is_found_at_the_first_trial(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/better"], metric="acuracy")
    counting = Counting()
    with pytest.raises(UnknownName, match="does not measure 'acuracy' — did you mean 'accuracy'"):
        conduct(asked, store=store, runner=counting, seeds=4)
    assert len(counting.seen) == 0, "the study ended before the first trial was handed on"
    assert sum(record.outcome == "completed" for record in store.trials()) == 1


def test_labs_that_differ_are_confounded(lab: Path, store: Store) -> None:
    other = lab.parent / "other.py"
    other.write_text(LAB.replace("0.05 * total", "0.06 * total"))
    (verdict,) = conduct(
        comparison(f"{lab}/base", [f"{other}/base"]), store=store, runner=InProcessRunner(), seeds=3
    ).verdicts
    assert verdict.confounded


def test_a_study_of_which_everything_fails_is_an_error(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/mode=raise", [f"{lab}/mode=raise/wide"])
    with pytest.raises(RunError, match=r"every trial .* failed.*ValueError: boom"):
        conduct(asked, store=store, runner=InProcessRunner(), seeds=2)


def test_diverged_trials_are_counted_and_never_averaged(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/mode=diverge"])
    (verdict,) = conduct(asked, store=store, runner=InProcessRunner(), seeds=8).verdicts
    assert verdict.diverged == 4
    assert verdict.seeds == (0, 2, 4, 6)
    assert verdict.difference == 0.0


def test_an_arm_with_two_changes_is_confounded(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/better/wide", f"{lab}/better"])
    both, one = conduct(asked, store=store, runner=InProcessRunner(), seeds=3).verdicts
    assert (both.confounded, one.confounded) == (True, False)
    declared = comparison(f"{lab}/base", [f"{lab}/better/wide"], factorial=True)
    assert not conduct(declared, store=store, runner=InProcessRunner(), seeds=3).verdicts[0].confounded


def test_the_baseline_is_no_other_base(lab: Path, store: Store) -> None:
    done = conduct(study(lab), store=store, runner=InProcessRunner(), seeds=3, base=f"{lab}/base")
    assert done.results.base is None
    assert done.results.study == study(lab)
    for base in (None, f"{lab}/base"):
        assert revisit(study(lab), store, base=base).results.counts == done.results.counts


def test_a_base_moves_every_arm(lab: Path, store: Store) -> None:
    done = conduct(study(lab), store=store, runner=InProcessRunner(), seeds=3, base=f"{lab}/steps=5")
    assert done.study.arms == (f"{lab}/steps=5/better", f"{lab}/steps=5/wide")
    with pytest.raises(ChangeError, match="does not apply"):
        conduct(study(lab), store=store, runner=InProcessRunner(), seeds=3, base=f"{lab}/better")


def test_until_decided_stops_early_and_leaves_decided_arms_alone(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/better", f"{lab}/steps=21"], margin=0.0)
    clear, same = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12).verdicts
    assert clear.verdict == "better"
    assert clear.n < 12
    assert same.verdict == "undecided"
    assert same.n == 12


def test_a_decided_arm_keeps_its_seeds_whatever_more_of_them_the_store_has(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/better"])
    first = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert 3 <= first.verdicts[0].n < 12
    conduct(asked, store=store, runner=InProcessRunner(), seeds=12)
    again = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert again.ran == 0
    assert again.verdicts == first.verdicts
    assert revisit(asked, store).results.verdicts == first.verdicts, "a report is of the last look"


def test_a_study_that_chooses_keeps_the_same_seeds_in_every_arm(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/better", f"{lab}/steps=21"], margin=0.0, choose_by="total")
    done = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert [verdict.n for verdict in done.verdicts] == [12, 12]
    assert done.results.choice is not None
    assert len(done.results.choice.judged_on) == 8


def test_until_decided_does_not_wait_for_pairs_that_never_come(lab: Path, store: Store) -> None:
    gone = 'if config.mode == "diverge" and context.seed % 2:'
    lab.write_text(LAB.replace(gone, 'if config.mode == "diverge":'))
    asked = comparison(f"{lab}/mode=diverge", [f"{lab}/base", f"{lab}/mode=diverge/wide"])
    done = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert done.ran == 3 * 3
    assert [(verdict.verdict, verdict.more_seeds) for verdict in done.verdicts] == [("undecided", None)] * 2


def test_until_decided_does_not_burn_seeds_on_identical_arms(lab: Path, store: Store) -> None:
    asked = comparison(f"{lab}/base", [f"{lab}/pause=0.001"], margin=0.001)
    done = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert done.ran == 2 * 3
    assert "more seeds can decide this; a test set of" in done.verdicts[0].sentence
    both = comparison(f"{lab}/base", [f"{lab}/pause=0.001", f"{lab}/wide"], margin=0.001)
    same, wide = conduct(both, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12).verdicts
    assert (same.verdict, same.n) == ("undecided", 3)
    assert wide.verdict == "better"


def test_an_arm_that_always_diverges_goes_on_until_the_control_is_known_not_to(lab: Path, store: Store) -> None:
    gone = 'if config.mode == "diverge" and context.seed % 2:'
    lab.write_text(LAB.replace(gone, 'if config.mode == "diverge" and (context.seed % 2 or config.wide):'))
    asked = comparison(f"{lab}/mode=diverge", [f"{lab}/mode=diverge/wide"])
    (verdict,) = conduct(asked, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=16).verdicts
    assert (verdict.verdict, verdict.n) == ("diverges", 0)
    assert 3 < verdict.diverged <= 16


def test_an_ablation_drops_each_change(lab: Path, store: Store) -> None:
    asked = ablation(f"{lab}/better/wide")
    assert asked.control == f"{lab}/better/wide"
    assert asked.arms == (f"{lab}/wide", f"{lab}/better")
    done = conduct(asked, store=store, runner=InProcessRunner(), seeds=4)
    assert [verdict.confounded for verdict in done.verdicts] == [False, False]
    with pytest.raises(ConfigError, match="no changes to drop"):
        ablation(f"{lab}/base")


def test_one_experiment_twice_is_refused(lab: Path, store: Store) -> None:
    with pytest.raises(ConfigError, match="are the same experiment"):
        conduct(comparison(f"{lab}/base", [f"{lab}/better/wide", f"{lab}/wide/better"]), store=store)


def test_edited_code_is_other_code(lab: Path, store: Store) -> None:
    conduct(study(lab), store=store, runner=InProcessRunner(), seeds=3)
    lab.write_text(LAB.replace('"""A random walk', '"""Some other words: a random walk').replace("# x", ""))
    assert conduct(study(lab), store=store, runner=InProcessRunner(), seeds=3).ran == 0, "a docstring is no code"
    lab.write_text(LAB.replace("0.05 * total", "0.06 * total"))
    assert conduct(study(lab), store=store, runner=InProcessRunner(), seeds=3).ran == 9


CONDUCTOR = """
import sys
from paribus.flow import comparison, conduct
from paribus.run.local import LocalRunner
from paribus.store import Store
lab, place = sys.argv[1:]
study = comparison(f"{lab}/pause=0.05", [f"{lab}/pause=0.05/better"])
with Store.open(place) as store:
    print("open", flush=True)
    conduct(study, store=store, runner=LocalRunner(workers=2), seeds=3)
    print("done", flush=True)
"""


def start(lab: Path, place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CONDUCTOR), str(lab), str(place)], stdout=subprocess.PIPE, text=True
    )


def rows(place: Path) -> dict[str, tuple[int, dict[str, float]]]:
    with Store.open(str(place)) as opened:
        return {record.key: (record.attempts, record.metrics) for record in opened.trials() if record.outcome}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_any_moment_the_same_command_goes_on_to_the_bit(
    lab: Path, tmp_path: Path, how: signal.Signals
) -> None:
    quiet, broken = tmp_path / "quiet.sqlite", tmp_path / "broken.sqlite"
    with start(lab, quiet) as conductor:
        assert conductor.wait() == 0
    moments = random.Random(int(how))
    kills = 0
    for _ in range(4):
        with start(lab, broken) as conductor:
            assert conductor.stdout is not None
            conductor.stdout.readline()
            time.sleep(0.5 + moments.random() * 1.0)
            if conductor.poll() is None:
                os.kill(conductor.pid, how)
                kills += 1
            if conductor.wait() == 0:
                break
    with start(lab, broken) as conductor:
        assert conductor.wait() == 0
    assert kills >= 2
    reference, resumed = rows(quiet), rows(broken)
    assert {key: metrics for key, (_, metrics) in resumed.items()} == {
        key: metrics for key, (_, metrics) in reference.items()
    }
    assert len(resumed) == 6
    assert max(attempts for attempts, _ in resumed.values()) > 1, "no trial was interrupted in its middle"


@dataclass
class Hearing:
    """A listener that keeps what it hears."""

    planned_for: list[int] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    waited_for: list[dict[str, str]] = field(default_factory=list)

    def planned(self, trials: Sequence[Trial], done: int) -> None:
        self.planned_for.append(len(trials))

    def event(self, event: Event) -> None:
        if isinstance(event.what, Finished):
            assert event.key not in self.ended
            self.ended[event.key] = event.what.outcome

    def waiting(self, conductors: Mapping[str, str]) -> None:
        self.waited_for.append(dict(conductors))


def test_conductors_on_one_store_share_the_work(lab: Path, tmp_path: Path) -> None:
    place = tmp_path / "shared.sqlite"
    asked, hearing = comparison(f"{lab}/pause=0.05", [f"{lab}/pause=0.05/better"]), Hearing()
    with start(lab, place) as first, Store.open(str(place)) as second:
        assert first.stdout is not None
        first.stdout.readline()
        while not second.trials():  # one that the first conductor has claimed
            time.sleep(0.02)
        done = conduct(asked, store=second, runner=LocalRunner(workers=1), seeds=4, listener=hearing)
        assert first.wait() == 0
    attempts = rows(place)
    assert len(attempts) == 2 * 4, "of which the first conductor wants six"
    assert all(count == 1 for count, _ in attempts.values())
    assert hearing.planned_for == [8]
    assert hearing.ended == dict.fromkeys(attempts, "completed")
    assert 2 <= done.ran <= 6
    assert done.verdicts[0].n == 4
    with Store.open(str(tmp_path / "alone.sqlite")) as alone:
        again = conduct(asked, store=alone, runner=InProcessRunner(), seeds=4)
        assert again.verdicts == done.verdicts
        assert {record.key: record.metrics for record in alone.trials()} == {
            key: metrics for key, (_, metrics) in attempts.items()
        }


def test_what_another_runs_is_waited_for_and_taken_over_where_it_dies(
    lab: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("paribus.conductor.time.sleep", slept.append)
    asked, hearing = comparison(f"{lab}/base", [f"{lab}/better"]), Hearing()
    with pytest.raises(KeyboardInterrupt):
        conduct(asked, store=store, runner=Counting(stop_after=1), seeds=3)
    (first,) = store.trials()
    trials = {trial.key: trial for trial in trials_of(asked, 3)}
    one, two = [trial for key, trial in trials.items() if key != first.key][:2]
    other = store.conductor()
    name = other.__enter__()
    assert store.claim(one, name, {})
    assert store.claim(two, name, {})
    hearing.waiting = ends_at(hearing, store, one, other)  # type: ignore[method-assign]
    done = conduct(asked, store=store, runner=InProcessRunner(), seeds=3, listener=hearing)
    assert done.ran == 6 - 1 - 1
    assert slept.count(1.0) == len(hearing.waited_for) == 4
    assert hearing.waited_for[0] == dict.fromkeys((one.key, two.key), f"process {os.getpid()} on {gethostname()}")
    assert set(hearing.waited_for[-1]) == {two.key}
    assert set(hearing.ended) == set(trials) - {first.key}
    assert hearing.ended[one.key] == "diverged"
    assert done.verdicts[0].diverged + done.verdicts[0].n == 3


def trials_of(asked: Study, seeds: int) -> list[Trial]:
    return [
        Trial(experiment, seed, current(experiment.lab, InProcessRunner()))
        for seed in range(seeds)
        for experiment in resolve(asked)
    ]


def ends_at(
    hearing: Hearing, store: Store, ending: Trial, conductor: AbstractContextManager[str]
) -> Callable[[Mapping[str, str]], None]:
    """What a listener does who, at its second turn, ends a trial of another conductor and, at the fourth, that one."""

    def waiting(conductors: Mapping[str, str]) -> None:
        hearing.waited_for.append(dict(conductors))
        if len(hearing.waited_for) == 2:
            store.write([Event(ending.key, Finished("diverged", message="elsewhere"))])
        if len(hearing.waited_for) == 4:
            conductor.__exit__(None, None, None)

    return waiting


def test_a_failure_elsewhere_is_final_for_this_call(lab: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.conductor._LOOK_EVERY", 0.01)
    asked, hearing = comparison(f"{lab}/base", [f"{lab}/better"]), Hearing()
    failing = trials_of(asked, 3)[0]
    with store.conductor() as name:
        assert store.claim(failing, name, {})

        def waiting(conductors: Mapping[str, str]) -> None:
            store.write([Event(failing.key, Finished("failed", message="elsewhere"))])

        hearing.waiting = waiting  # type: ignore[method-assign]
        done = conduct(asked, store=store, runner=InProcessRunner(), seeds=3, listener=hearing)
        assert (done.ran, hearing.ended[failing.key]) == (5, "failed")
        again = conduct(asked, store=store, runner=InProcessRunner(), seeds=3)
    assert again.ran == 1, "the next call tries it again, though the other lives"


def test_a_failure_that_another_tries_again_is_waited_for(
    lab: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paribus.conductor._LOOK_EVERY", 0.01)
    asked = comparison(f"{lab}/base", [f"{lab}/mode=raise"])
    failing = next(trial for trial in trials_of(asked, 1) if trial.experiment.changes)
    last = trials_of(asked, 3)[-1]
    hearing = Hearing()
    with store.conductor() as name:

        def event(event: Event) -> None:
            if isinstance(event.what, Finished) and event.key == last.key:
                (record,) = store.trials(keys=[failing.key])
                assert store.claim(failing, name, {}, failed=record.finished)

        def waiting(conductors: Mapping[str, str]) -> None:
            hearing.waited_for.append(dict(conductors))
            if len(hearing.waited_for) == 2:
                done = Finished("completed", {"accuracy": 0.5, "total": 0.0})
                store.write(
                    [Event(failing.key, Outcomes("accuracy", np.ones(200, dtype=bool))), Event(failing.key, done)]
                )

        hearing.event, hearing.waiting = event, waiting  # type: ignore[method-assign]
        done = conduct(asked, store=store, runner=InProcessRunner(), seeds=3, listener=hearing)
    assert hearing.planned_for == [6, 1]
    assert [set(heard) for heard in hearing.waited_for] == [{failing.key}] * 2
    assert (done.ran, done.verdicts[0].failed, done.verdicts[0].n) == (6, 2, 1)


def test_a_retry_that_fails_elsewhere_is_final_for_this_call(
    lab: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paribus.conductor._LOOK_EVERY", 0.01)
    asked = comparison(f"{lab}/base", [f"{lab}/mode=raise"])
    conduct(asked, store=store, runner=InProcessRunner(), seeds=3)
    failing = next(trial for trial in trials_of(asked, 1) if trial.experiment.changes)
    (record,) = store.trials(keys=[failing.key])
    hearing = Hearing()
    with store.conductor() as name:

        def planned(trials: Sequence[Trial], done: int) -> None:
            assert len(trials) == 3
            assert store.claim(failing, name, {}, failed=record.finished), "before this call comes to it"

        def waiting(conductors: Mapping[str, str]) -> None:
            hearing.waited_for.append(dict(conductors))
            store.write([Event(failing.key, Finished("failed", message="again"))])

        hearing.planned, hearing.waiting = planned, waiting  # type: ignore[method-assign]
        done = conduct(asked, store=store, runner=InProcessRunner(), seeds=3, listener=hearing)
    assert (done.ran, len(hearing.waited_for)) == (2, 1)
    assert list(hearing.ended.values()) == ["failed"] * 3


def test_what_ends_elsewhere_is_told_while_there_is_work_of_ones_own(lab: Path, store: Store) -> None:
    asked, told = comparison(f"{lab}/base", [f"{lab}/better"]), list[str]()
    first, second, third = trials_of(asked, 3)[:3]
    with store.conductor() as name:
        assert store.claim(second, name, {})

        class Listening(Silence):
            def event(self, event: Event) -> None:
                if isinstance(event.what, Finished):
                    told.append(event.key)
                    if event.key == first.key:
                        store.write([Event(second.key, Finished("diverged"))])

        with pytest.raises(KeyboardInterrupt):
            conduct(asked, store=store, runner=Handing([first, second, third]), seeds=3, listener=Listening())
    assert told == [first.key, second.key, third.key]


@dataclass
class Handing:
    """A runner that asks for *trials* whatever it is given, and then breaks off."""

    trials: list[Trial]
    device: str = "cpu"
    threads: int = 1

    def run(self, trials: Sequence[Trial], claim: Claim) -> Generator[Event]:
        yield from InProcessRunner().run(self.trials, claim)
        raise KeyboardInterrupt


@dataclass
class Losing:
    """A runner that claims a trial and never tells how it ended."""

    device: str = "cpu"
    threads: int = 1

    def run(self, trials: Sequence[Trial], claim: Claim) -> Generator[Event]:
        claim(trials[0].key)
        yield from ()


def test_a_trial_that_its_runner_loses_is_an_error_and_no_wait_without_end(lab: Path, store: Store) -> None:
    with pytest.raises(RunError, match="/base: its runner ended, and the trial had not"):
        conduct(study(lab), store=store, runner=Losing())
