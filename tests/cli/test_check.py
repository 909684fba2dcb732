"""The check that needs no lab's help: does a function repeat, draw from its seed alone, and stay finite?"""

from __future__ import annotations

import random
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paribus.run.probe import probe
from paribus.spec import registry
from paribus.spec.sound import soundness

from .conftest import Cli

GOOD = "noise = context.streams.generator('noise').normal()"


def _levels(folder: Path, body: str, result: str = "{'accuracy': noise}", patience: float = 20) -> dict[str, str]:
    path = folder / "lab.py"
    path.write_text(
        "import random, time\nfrom dataclasses import dataclass\nimport numpy as np\n"
        "@dataclass(frozen=True)\nclass Config:\n    rate: float = 0.1\n"
        f"def run(config, context):\n{textwrap.indent(body, '    ')}\n    return {result}\n"
    )
    return {finding.check: finding.level for finding in probe(registry.experiment(f"{path}/base"), patience=patience)}


def test_a_sound_function_passes(folder: Path) -> None:
    levels = _levels(folder, GOOD)
    assert levels.keys() == {"finishes", "global random state", "repeats to the bit", "seed matters"}
    assert set(levels.values()) == {"ok"}


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ("noise = random.random()", {"global random state", "repeats to the bit"}),
        ("noise = float(np.random.rand())", {"global random state", "repeats to the bit"}),
        ("np.random.seed(context.seed); noise = float(np.random.rand())", {"global random state"}),
        ("random.seed(context.seed); noise = random.random()", {"global random state"}),
        ("noise = time.perf_counter()", {"repeats to the bit"}),
        ("noise = 0.5", {"seed matters"}),
        (f"{GOOD}\nnoise *= float('nan')", {"finishes"}),
    ],
)
def test_each_fault_is_seen(folder: Path, body: str, warned: set[str]) -> None:
    levels = _levels(folder, body)
    assert {check for check, level in levels.items() if level == "warning"} == warned


def test_of_runs_without_a_number_nothing_is_said_that_was_not_seen(folder: Path) -> None:
    path = folder / "lab.py"
    path.write_text(
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Config:\n    rate: float = 0.1\n"
        "def run(config, context):\n    return {'loss': float('nan')}\n"
    )
    found = {finding.check: finding for finding in probe(registry.experiment(f"{path}/base"))}
    assert found["repeats to the bit"].value == "diverged both times"
    assert (found["seed matters"].level, found["seed matters"].value) == ("note", "not known")
    path.write_text(path.read_text().replace("float('nan')", "context.streams.generator('x').normal()"))
    found = {finding.check: finding for finding in probe(registry.experiment(f"{path}/base"))}
    assert found["repeats to the bit"].value == "1 number"


def test_metrics_that_a_study_asks_for_and_the_baseline_does_not_give_are_seen(folder: Path) -> None:
    path = folder / "lab.py"
    asked = "metric='accuracy', choose_by='validation', beside=('accurcy',), judges={'z': ('accuracy', 'taste')}"
    path.write_text(
        "from dataclasses import dataclass\nfrom paribus import Study\n"
        "@dataclass(frozen=True)\nclass Config:\n    rate: float = 0.1\n"
        f"studies = [Study(name='q', question='?', control='base', arms=('rate=1.0', 'rate=2.0'), {asked}),\n"
        "           Study(name='r', question='?', control='rate=3.0', arms=('rate=1.0',), metric='elsewhere')]\n"
        f"def run(config, context):\n    {GOOD}\n    return {{'accuracy': noise}}\n"
    )
    found = [finding for finding in probe(registry.experiment(f"{path}/base")) if finding.level == "warning"]
    assert [finding.check for finding in found] == ["study q"] * 3
    assert "does not measure 'validation'" in str(found[0].value)
    assert "'accurcy' — did you mean 'accuracy'" in str(found[1].value)
    assert "'taste'" in str(found[2].value)


def test_a_study_that_cannot_run_and_a_change_of_nothing_are_seen(cli: Cli, folder: Path) -> None:
    (folder / "unsound.py").write_text(
        "from dataclasses import dataclass\nfrom paribus import Change, Study\n"
        "@dataclass(frozen=True)\nclass Config:\n    rate: float = 0.1\n    steps: int = 3\n"
        "changes = [Change(name='big', doc='x', path='rate', before=0.2, after=2.0),\n"
        "           Change(name='odd', doc='x', path='widths', before=1, after=2),\n"
        "           Change(name='more', doc='x', path='steps', before=3, after=4),\n"
        "           Change(name='most', doc='x', path='steps', before=4, after=5)]\n"
        "studies = [Study(name=name, question='?', control='base', arms=(arm,), metric='loss')\n"
        "           for name, arm in (('typo', 'bigg'), ('fails', 'big'), ('sound', 'more'))]\n"
        "def run(config, context):\n    return {'loss': context.streams.generator('x').normal()}\n"
    )
    checked = cli("check", "unsound.py", "--no-run")
    assert checked.code == 1
    listed = cli("labs", "unsound.py")
    for lines in (checked.out.splitlines(), listed.err.splitlines()):
        for said in ("study typo", "study fails", "change big", "change odd"):
            assert any(said in line for line in lines), said
        for sound in ("study sound", "change more", "change most"):
            assert not any(sound in line for line in lines), sound
    assert cli("labs", "my_lab.py").err == ""


def test_the_names_of_installed_labs_are_sound() -> None:
    for name in registry.lab_names():
        assert [finding.level for finding in soundness(registry.lab(name))] == ["ok"], name


def test_times_count_neither_way(folder: Path) -> None:
    result = "{'accuracy': noise, 'train_seconds': time.perf_counter()}"
    assert set(_levels(folder, GOOD, result).values()) == {"ok"}
    assert _levels(folder, "noise = 0.5", result)["seed matters"] == "warning"


LONG = """
for step in range(10**9):
    noise = NOISE
    context.progress(step, 10**9)
    context.scalars(step, loss=noise)
"""


@pytest.mark.parametrize(("noise", "level"), [("step + context.seed", "ok"), ("random.random()", "warning")])
def test_a_long_run_is_stopped_and_compared_that_far(folder: Path, noise: str, level: str) -> None:
    levels = _levels(folder, LONG.replace("NOISE", noise), patience=0.05)
    assert levels["finishes"] == "note"
    assert levels["repeats to the bit"] == levels["global random state"] == level
    assert levels["seed matters"] == "ok"


def test_how_often_a_long_run_shows_itself_counts_for_nothing(folder: Path) -> None:
    """Progress and pictures come by the clock, so their number differs from run to run."""
    by_the_clock = LONG.replace("NOISE", "step + context.seed").replace(
        "    context.progress", "    for _ in range(int(1e6 * time.perf_counter()) % 3): context.progress"
    )
    assert set(_levels(folder, by_the_clock, patience=0.05).values()) == {"note", "ok"}


def test_a_function_that_fails_is_run_once(folder: Path) -> None:
    assert _levels(folder, "noise = 1 / 0") == {"finishes": "warning"}


def test_the_global_generators_are_left_as_they_were(folder: Path) -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), np.random.RandomState(1).rand()
    _levels(folder, "noise = random.random() + float(np.random.rand())")
    assert (random.random(), np.random.rand()) == expected


def test_check_exits_with_1_where_it_warns(cli: Cli, folder: Path) -> None:
    mistyped = cli("check", "my_lab.py")
    assert mistyped.code == 1
    assert "'acuracy'" in mistyped.out
    (folder / "my_lab.py").write_text((folder / "my_lab.py").read_text().replace("acuracy", "accuracy"))
    sound = cli("check", "my_lab.py")
    assert sound.code == 0
    assert "all well" in sound.out
    assert "a lab may print" not in sound.out
    (folder / "plain.py").write_text((folder / "my_lab.py").read_text().replace("context.streams", "FIXED"))
    text = (
        (folder / "plain.py")
        .read_text()
        .replace("def study", "from paribus import Streams\nFIXED = Streams(0)\n\n\ndef study")
    )
    (folder / "plain.py").write_text(text)
    warned = cli("check", "plain.py/trick")
    assert warned.code == 1
    assert "1 warning" in warned.out
    assert cli("check", "plain.py", "--no-run").code == 0


def test_a_lab_s_own_findings_and_its_contact_sheet(cli: Cli, folder: Path) -> None:
    text = (folder / "my_lab.py").read_text()
    text += textwrap.dedent("""
        import numpy as np
        from pathlib import Path
        from paribus.spec.finding import Finding
        from paribus.spec.lab import Base, Lab

        def check(config, context):
            yield Finding("duplicates", "warning", "3 pairs", "They are in both parts.")

        LAB = Lab(
            name="pictured", question="?", baseline=Config(), run=run, changes=changes, check=check,
            contact_sheet=lambda config: np.full((4, 6, 3), 200, np.uint8),
            default_base=lambda: Base("my_lab.py/trick", "because it is better"),
        )
    """)
    (folder / "my_lab.py").write_text(text)
    checked = cli("check", "my_lab.py", "--no-run")
    assert checked.code == 1
    assert checked.out.startswith("my_lab.py/trick  (because it is better)")
    assert "3 pairs" in checked.out
    assert "Contact sheet: reports/my_lab.png" in checked.out
    assert np.asarray(Image.open(folder / "reports" / "my_lab.png")).tolist() == np.full((4, 6, 3), 200).tolist()
    (folder / "taken").write_text("a file where a folder should be")
    refused = cli("check", "my_lab.py", "--sheet", "taken/sheet.png")
    assert refused.code == 2
    assert "--sheet" in refused.error
    assert "3 pairs" not in refused.out, "it is known before anything is looked at"
    refused = cli("check", "my_lab.py", "--sheet", "sheet.jpg")
    assert (refused.code, len(refused.error.splitlines())) == (2, 1)
    assert "--sheet sheet.jpg: what is written is a .png file" in refused.error
