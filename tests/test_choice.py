"""A study that chooses an arm by validation: which one it takes, and how the chosen one is judged."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from paribus.exhibit import exhibit
from paribus.flow import comparison, conduct
from paribus.run.local import InProcessRunner
from paribus.spec.study import Study
from paribus.store import Store

LAB = '''"""How much skill?"""
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    skill: float = 1.0
    noise: float = 0.1
    late: bool = False

def run(config, context):
    noise = config.noise * context.streams.generator(f"own/{config.skill}").normal()
    score = config.skill + (0.0 if config.late and context.seed < 9 else noise)
    return {"score": score, "val_score": config.skill, "val_ce": 10 - config.skill, "val_badness": 10 - config.skill}
'''


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "skills.py"
    path.write_text(LAB)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with Store.open(str(tmp_path / "store.sqlite")) as opened:
        yield opened


def asked(lab: Path, *skills: float, **settings: Any) -> Study:
    study = comparison(f"{lab}/base", [f"{lab}/skill={skill}" for skill in skills], metric="score")
    return replace(study, **settings)


@pytest.mark.parametrize(
    ("given", "end"),
    [
        ({"choose_by": "val_score"}, "highest mean val_score"),
        ({"choose_by": "val_ce"}, "lowest mean val_ce"),
        ({"choose_by": "val_badness", "choose_direction": "min"}, "lowest mean val_badness"),
    ],
)
def test_the_best_arm_is_chosen_and_the_sentence_says_by_what(
    lab: Path, store: Store, given: dict[str, Any], end: str
) -> None:
    done = conduct(asked(lab, 1.5, 2.0, **given), store=store, runner=InProcessRunner(), seeds=6)
    assert done.results.choice is not None
    assert done.results.choice.name == f"{lab}/skill=2"
    chosen = exhibit(done.results).chosen
    assert chosen is not None
    assert f"skill=2 has the {end} over 3 seeds; it is judged on the other 3, " in chosen.how
    worse = conduct(asked(lab, 0.5, **given), store=store, runner=InProcessRunner(), seeds=6)
    control = exhibit(worse.results).chosen
    assert control is not None
    assert control.verdict is None
    assert control.how == f"base, the control, has the {end} over 3 seeds"


def test_until_decided_goes_on_until_the_chosen_arm_is_decided(lab: Path, store: Store) -> None:
    study = asked(lab, 1.3, 1.4, choose_by="val_score")
    done = conduct(study, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert all(verdict.verdict == "better" for verdict in done.verdicts)
    choice, chosen = done.results.choice, done.results.chosen
    assert choice is not None
    assert chosen is not None
    assert (chosen.name, chosen.verdict) == (f"{lab}/skill=1.4", "better")
    assert choice.chosen_on == (0, 1, 2, 3), "a third of the plan, whatever came of it"
    assert chosen.seeds == choice.judged_on == tuple(range(4, done.verdicts[0].n))
    assert chosen.n < 8
    assert "group-sequential up to 8 seeds" in chosen.method
    again = conduct(study, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert (again.ran, again.results.chosen) == (0, chosen)


def test_the_chosen_arm_is_given_up_at_the_planned_maximum_and_the_control_needs_no_verdict(
    lab: Path, store: Store
) -> None:
    hard = asked(lab, 1.1, choose_by="val_score")
    done = conduct(hard, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=5)
    assert done.verdicts[0].n == 5
    assert done.results.chosen is not None
    assert done.results.chosen.verdict == "undecided"
    clear = asked(lab, 0.2, choose_by="val_score")
    done = conduct(clear, store=store, runner=InProcessRunner(), until_decided=True, max_seeds=12)
    assert done.results.choice is not None
    assert (done.results.choice.name, done.results.chosen) == (f"{lab}/base", None)
    assert done.verdicts[0].n < 12
