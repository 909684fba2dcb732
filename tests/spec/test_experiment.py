"""Experiments: a name is a program, order is no part of identity, and a wrong name says what would be right."""

from __future__ import annotations

import dataclasses
import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import ChangeError, ConfigError, UnknownName
from paribus.spec import registry
from paribus.spec.change import Change
from paribus.spec.difference import field_differences, source_difference
from paribus.spec.experiment import build, declared_changes
from paribus.spec.lab import Lab
from paribus.spec.study import Study, usual_direction


@dataclass(frozen=True)
class Config:
    depth: int = 2
    pool: str = "max"
    folder: str = ""
    rate: float = 0.1


def average(x: float) -> float:
    return x / 2


def largest(x: float) -> float:
    return x


CODE = {"average": average, "max": largest}
CHANGES = (
    Change(name="deep", doc="Deeper.", path="depth", before=2, after=4),
    Change(name="average", doc="Average.", path="pool", before="max", after="average"),
    Change(name="rate", doc="Rate.", path="rate", before=0.1, after=lambda rate: rate, parameter=float),
    Change(name="folder", doc="Folder.", path="folder", before="", after=lambda path: path, parameter=str),
)
LAB = Lab(
    name="toy",
    question="?",
    baseline=Config(),
    run=lambda config, context: {"accuracy": 1.0},
    changes=CHANGES,
    implementation=lambda path, value: CODE[value] if path == "pool" else None,
)


def test_a_name_parses_and_prints() -> None:
    experiment = build(LAB, ("deep", "rate=0.3"))
    assert experiment.name == "toy/deep/rate=0.3"
    assert experiment.config == Config(depth=4, rate=0.3)
    assert build(LAB, ()).name == "toy/base"
    assert build(LAB, ("base",)) == build(LAB, ())


@given(st.permutations(["deep", "average", "rate=0.3"]))
def test_order_is_no_part_of_identity(segments: list[str]) -> None:
    assert build(LAB, tuple(segments)).hash == build(LAB, ("deep", "average", "rate=0.3")).hash


@given(st.sets(st.sampled_from(["deep", "average", "rate=0.3", "folder=x"])), st.data())
def test_different_configurations_have_different_hashes(segments: set[str], data: st.DataObject) -> None:
    other = data.draw(st.sets(st.sampled_from(["deep", "average", "rate=0.3", "folder=x"])))
    same = build(LAB, tuple(sorted(segments))).hash == build(LAB, tuple(sorted(other))).hash
    assert same == (segments == other)


def test_the_hash_is_frozen() -> None:
    """Stores keep these hashes: were this to fail, every result ever stored would be orphaned."""
    assert build(LAB, ("deep",)).hash == "a5e4cd01190e5d69"


def test_a_change_twice_is_refused() -> None:
    with pytest.raises(ChangeError, match="expects depth = 2, but it is 4"):
        build(LAB, ("deep", "deep"))


def test_a_wrong_change_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no change 'averag' — did you mean 'average'"):
        build(LAB, ("averag",))


def test_declared_changes_count_what_arms_do_not_share() -> None:
    base, deep, both = build(LAB, ()), build(LAB, ("deep",)), build(LAB, ("deep", "average"))
    assert declared_changes(base, deep) == ("deep",)
    assert declared_changes(deep, both) == ("average",)
    assert declared_changes(base, both) == ("deep", "average")
    assert declared_changes(both, base) == ("deep", "average")
    assert declared_changes(build(LAB, ("rate=0.2",)), build(LAB, ("rate=0.3",))) == ("rate=0.3",)


def test_differences_name_the_fields_and_the_source() -> None:
    before, after = build(LAB, ()), build(LAB, ("average", "deep"))
    found = [(d.path, d.before, d.after) for d in field_differences(before, after)]
    assert found == [("depth", 2, 4), ("pool", "max", "average")]
    diff = source_difference(before, after)
    assert "-    return x\n" in diff
    assert "+    return x / 2\n" in diff
    assert source_difference(before, build(LAB, ("deep",))) == ""


@dataclass(frozen=True)
class Grouped:
    groups: Config = Config()
    pool: str = "max"


def test_the_source_is_found_inside_groups_of_fields_and_shown_once() -> None:
    lab = Lab(
        name="grouped",
        question="?",
        baseline=Grouped(),
        run=lambda config, context: {"accuracy": 1.0},
        changes=(
            Change(name="inside", doc="Average.", path="groups.pool", before="max", after="average"),
            Change(name="outside", doc="Average.", path="pool", before="max", after="average"),
            Change(name="deep", doc="Deeper.", path="groups.depth", before=2, after=4),
        ),
        implementation=lambda path, value: CODE[value] if path in ("pool", "groups.pool") else None,
    )
    before = build(lab, ())
    diff = source_difference(before, build(lab, ("inside", "deep")))
    assert diff.count("+    return x / 2\n") == 1
    assert source_difference(before, build(lab, ("inside", "outside"))) == diff
    assert source_difference(before, build(lab, ("deep",))) == ""


FILE = '''"""Does a larger step help?"""
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    rate: float = 0.1
    folder: str = ""

def run(config, context):
    return {"accuracy": config.rate}
'''


def test_a_users_file_is_a_lab(tmp_path: Path) -> None:
    path = tmp_path / "my_lab.py"
    path.write_text(FILE)
    experiment = registry.experiment(f"{path}/base/rate=0.3")
    assert experiment.name == f"{path}/rate=0.3"
    assert experiment.lab.question == "Does a larger step help?"
    assert registry.experiment(str(path)).name == f"{path}/base"


def test_a_file_may_say_what_its_data_is(tmp_path: Path) -> None:
    path = tmp_path / "my_lab.py"
    path.write_text(f"{FILE}\ndef data_in_words(config):\n    return f'what lies in {{config.folder}}'\n")
    found = registry.experiment(f"{path}/folder=x")
    assert found.lab.data_in_words is not None
    assert found.lab.data_in_words(found.config) == "what lies in x"


def test_a_text_parameter_may_hold_slashes(tmp_path: Path) -> None:
    path = tmp_path / "my_lab.py"
    path.write_text(FILE)
    experiment = registry.experiment(f"{path}/folder=/home/me/pictures/rate=0.3")
    assert experiment.config.folder == "/home/me/pictures"
    assert experiment.config.rate == 0.3
    assert registry.experiment(experiment.name) == experiment


@pytest.mark.parametrize(
    ("written", "folder", "rate", "name"),
    [
        ("folder=shop/wide", "shop/wide", 0.1, "folder=shop/wide"),
        ("folder=shop/wide/", "shop/wide", 0.1, "folder=shop/wide"),
        ("folder=shop/wide/rate=0.3", "shop/wide", 0.3, "rate=0.3/folder=shop/wide"),
        ("wide/folder=shop", "shop", 0.5, "wide/folder=shop"),
        ("folder=shop/base/wide", "shop", 0.5, "wide/folder=shop"),
        ("folder=other/wide", "other", 0.5, "wide/folder=other"),
        ("folder=other//wide", "other", 0.5, "wide/folder=other"),
        ("folder=./wide", "./wide", 0.1, "folder=./wide"),
        ("folder={here}/wide", "{here}/wide", 0.1, "folder={here}/wide"),
        ("folder={here}/shop/wide/rate=0.3", "{here}/shop/wide", 0.3, "rate=0.3/folder={here}/shop/wide"),
        ("folder=~/wide", "~/wide", 0.1, "folder=~/wide"),
        ("folder=/", "/", 0.1, "folder=/"),
        ("folder=shop/none/wide", "shop/none", 0.5, "wide/folder=shop/none"),
        ("folder=none/at/all/", "none/at/all", 0.1, "folder=none/at/all"),
        ("folder=x/" + 300 * "y" + "/wide", "x/" + 300 * "y", 0.5, "wide/folder=x/" + 300 * "y"),
    ],
)
def test_a_folder_goes_on_as_far_as_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, folder: str, rate: float, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in ("shop/wide", "other", "wide"):
        (tmp_path / place).mkdir(parents=True)
    wide = "Change(name='wide', doc='Wide.', path='rate', before=0.1, after=0.5)"
    Path("my_lab.py").write_text(f"{FILE}\nfrom paribus import Change\nchanges = [{wide}]\n")
    written, folder, name = (text.replace("{here}", str(tmp_path)) for text in (written, folder, name))
    found = registry.experiment(f"my_lab.py/{written}")
    assert (found.config.folder, found.config.rate) == (folder, rate)
    assert found.name == f"my_lab.py/{name}"
    again = registry.experiment(found.name)
    assert (again, again.name) == (found, found.name)


def test_a_study_on_a_folder_does_not_walk_into_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop" / "rate=0.3").mkdir(parents=True)
    Path("my_lab.py").write_text(FILE)
    study = Study(name="x", question="?", control="my_lab.py/base", arms=("my_lab.py/rate=0.3",), metric="accuracy")
    placed = registry.on(study, "my_lab.py/folder=shop")
    assert placed.names == ("my_lab.py/folder=shop", "my_lab.py/rate=0.3/folder=shop")
    assert [registry.experiment(name).config.folder for name in placed.names] == ["shop", "shop"]


def test_a_text_that_another_change_rests_on_keeps_its_place() -> None:
    after = Change(name="after", doc="After.", path="folder", before="x", after="y")
    lab = dataclasses.replace(LAB, changes=(*CHANGES, after))
    assert build(lab, ("folder=x", "after", "deep")).name == "toy/folder=x/after/deep"
    assert build(lab, ("folder=x", "deep")).name == "toy/deep/folder=x"


def test_the_name_of_a_moved_file_is_another_but_its_identity_stays(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my_lab.py").write_text(FILE)
    first, second = (registry.experiment(f"{tmp_path}/{folder}/my_lab.py/base") for folder in ("a", "b"))
    assert first.hash == second.hash


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def run(config, context: return 1", "line 1: SyntaxError while importing it: invalid syntax$"),
        ("x = 1\n\ndef f():\n    import nothing_of_this_name\nf()", "broken.py, line 4: ModuleNotFoundError"),
        ("x = 1\nimport json\njson.loads('{')", "broken.py, line 3: JSONDecodeError"),
        ("x = 1\nimport paribus_beside_it", "broken.py, line 2: SyntaxError .*\\(paribus_beside_it.py, line 3\\)"),
        ("x = 1", "defines run"),
        ("def run(config, context): return {}", "one frozen dataclass called Config"),
        (
            "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Config:\n    x: int\n"
            "def run(config, context): return {}",
            "needs a default",
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass Config:\n    x: int = 1\n"
            "def run(config, context): return {}",
            "frozen dataclass",
        ),
    ],
)
def test_a_broken_file_is_explained_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("broken.py")
    path.write_text(source)
    (tmp_path / "paribus_beside_it.py").write_text("x = 1\n\ny = (")
    with pytest.raises(ConfigError, match=message) as error:
        registry.experiment(f"{path}/base")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("svn/base", "no lab is called 'svn' — did you mean 'svhn'"),
        ("", "is no experiment"),
        ("svhn//base", "empty segment"),
        ("no_such_file.py/base", "there is no file 'no_such_file.py'"),
    ],
)
def test_a_wrong_name_is_explained(name: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        registry.experiment(name)


def test_a_wrong_study_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="no study 'sofmax' — did you mean 'softmax'"):
        registry.study("svhn.sofmax")
    with pytest.raises(UnknownName, match="is no study"):
        registry.study("svhn")


def test_a_loss_is_better_low_where_nobody_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lossy.py"
    path.write_text(FILE.replace('"accuracy"', '"loss"') + 'metric = "loss"\n')
    assert registry.lab(str(path)).direction == "min"
    assert Study(name="a.b", question="?", control="a/base", arms=("a/x",), metric="val_loss").direction == "min"
    high = ["test_accuracy", "sentiment_accuracy", "confidence", "lossless_share", "reward", "precision", "once"]
    for metric in (*high, "entropy", "weekly_score", "sometimes_right", "lifetime", "answer_share", "power", "egalece"):
        assert usual_direction(metric) == "max", metric
    low = ["loss", "test-loss", "word error", "val/nll", "MSE", "val_cross_entropy", "crossentropy", "Cross-Entropy"]
    low += ["val_ce", "ce", "ECE", "brier", "brier_score", "test/wer", "cer", "bpd", "kl", "val_kl", "lpips", "mape"]
    for metric in (*low, "smape", "msle", "regret", "flops", "time", "train_time", "time_per_step"):
        assert usual_direction(metric) == "min", metric


def test_the_choice_has_a_direction_of_its_own() -> None:
    def made(metric: str, choose_by: str | None, **given: Any) -> Study:
        return Study(
            name="a.b", question="?", control="a/base", arms=("a/x",), metric=metric, choose_by=choose_by, **given
        )

    assert made("accuracy", "val_accuracy").choose_direction == "max"
    assert made("accuracy", "val_ce").choose_direction == "min"
    assert made("loss", "val_accuracy").choose_direction == "max"
    assert made("badness", "val_badness", direction="min").choose_direction == "min"
    assert made("accuracy", "val_badness", choose_direction="min").choose_direction == "min"
    assert made("accuracy", None).choose_direction is None
    with pytest.raises(ConfigError, match="without choose_by"):
        made("accuracy", None, choose_direction="min")
    with pytest.raises(ConfigError, match="choose_direction is 'max' or 'min', not 'low'"):
        made("accuracy", "val_accuracy", choose_direction="low")


def test_what_stands_beside_is_metrics_each_once_and_judges_are_several() -> None:
    two: dict[str, Any] = {"name": "a.b", "question": "?", "control": "a/base", "arms": ("a/x", "a/y"), "metric": "m"}
    assert hash(Study(**two, beside=("n",), judges={"z": ("m", "n")})), "a study may be a key"
    for wrong, said in (
        ({"beside": "loss"}, "'loss' should be a tuple of metrics"),
        ({"beside": ("n", "n")}, r"\('n', 'n'\) should be a tuple of metrics, each once"),
        ({"judges": {"z": ("m", "m")}}, r"\('m', 'm'\) should be a tuple of metrics, each once"),
        ({"judges": {"z": ("m",)}}, "'z' has 1 judge; two or more can agree"),
        ({"judges": {"z": ("m", "n")}, "arms": ("a/x",)}, "name two arms beside the control"),
    ):
        with pytest.raises(ConfigError, match=said):
            Study(**two | wrong)


@pytest.mark.parametrize(
    "given", ["config", "", "config, context, more", "config, *, context", "config, context, *, more"]
)
def test_a_run_that_cannot_be_called_is_refused_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source = FILE.replace("config, context", given)
    Path("my_lab.py").write_text(source)
    with pytest.raises(ConfigError) as error:
        registry.lab("my_lab.py")
    assert str(error.value) == f"my_lab.py, line 9: run({given}) cannot be called as run(config, context)"
    Path("my_lab.py").write_text(
        f"{source}\nfrom paribus.spec.lab import Lab\nLAB = Lab(name='x', question='?', baseline=Config(), run=run)\n"
    )
    with pytest.raises(ConfigError, match=r"my_lab\.py, line 9: run\(.*as run\(config, context\)$"):
        registry.lab("my_lab.py")


@pytest.mark.parametrize("given", ["*args", "config, context, more=1, **others", "first, *rest", "c, context=None"])
def test_a_run_that_can_be_called_is_taken_however_it_is_written(tmp_path: Path, given: str) -> None:
    (tmp_path / "my_lab.py").write_text(FILE.replace("config, context", given))
    assert registry.lab(f"{tmp_path}/my_lab.py").question
    plain = functools.partial(lambda extra, config, context: {"accuracy": 1.0}, 3)
    for run in (plain, max):
        assert Lab(name="x", question="?", baseline=Config(), run=run)


@pytest.mark.parametrize(
    "default", ["lambda: 1", "np.zeros(3)", "frozenset({1})", "object()"], ids=["lambda", "array", "set", "object"]
)
def test_a_value_without_a_text_of_its_own_is_refused(tmp_path: Path, default: str) -> None:
    path = tmp_path / "odd.py"
    path.write_text(
        "import numpy as np\nfrom dataclasses import dataclass, field\nfrom typing import Any\n"
        "@dataclass(frozen=True)\nclass Config:\n"
        f"    odd: Any = field(default_factory=lambda: {default})\n"
        "def run(config, context):\n    return {'accuracy': 1.0}\n"
    )
    with pytest.raises(ConfigError, match="odd holds a"):
        registry.experiment(f"{path}/base")


def test_a_field_is_read_as_its_annotation_says(tmp_path: Path) -> None:
    path = tmp_path / "typed.py"
    path.write_text(FILE.replace('folder: str = ""', "decay: float = 0\n    base: int = 3"))
    assert registry.experiment(f"{path}/decay=0.1").config.decay == 0.1


def test_one_file_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_lab.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    assert registry.experiment("./my_lab.py/rate=0.3").name == "my_lab.py/rate=0.3"


def test_a_lab_written_for_installation_runs_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        FILE + "from paribus import Change, Lab, Study\n"
        "LAB = Lab(name='mine', question='?', baseline=Config(), run=run,\n"
        "    changes=(Change(name='fast', doc='x', path='rate', before=0.1, after=0.5),),\n"
        "    studies=(Study(name='mine.q', question='?', control='mine/base', arms=('mine/fast',),\n"
        "        metric='accuracy'),))"
    )
    assert registry.study(f"{path}.q").names == (f"{path}/base", f"{path}/fast")


def test_what_a_configuration_refuses_is_an_error_of_the_change(tmp_path: Path) -> None:
    path = tmp_path / "strict.py"
    path.write_text(
        FILE.replace("\ndef run", "\n    def __post_init__(self):\n        assert self.rate < 1\n\ndef run")
    )
    with pytest.raises(ChangeError, match="change 'rate=2'"):
        registry.experiment(f"{path}/rate=2")


def test_a_file_that_leaves_python_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "leaving.py"
    path.write_text("print('hello')\nraise SystemExit(3)\n")
    with pytest.raises(ConfigError, match="SystemExit"):
        registry.experiment(f"{path}/base")
    assert capsys.readouterr().out == ""


def test_names_need_no_torch() -> None:
    code = (
        "import sys, paribus; paribus.experiment('svhn/base'); paribus.study('svhn.softmax');"
        "sys.exit(any(module in sys.modules for module in ('torch', 'matplotlib', 'cv2', 'sqlalchemy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0


def test_a_file_called_like_a_lab_is_no_study_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Config:\n    a: float = 0.1\n"
    Path("svhn.py").write_text(f"{config}def run(config, context): return {{}}\n")
    assert registry.experiment("svhn.py/base") == registry.experiment("svhn.py")
    assert registry.experiment("svhn.py/a=0.5").config.a == 0.5
