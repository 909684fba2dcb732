"""Commands about names: what there is, what an experiment is, what was run, and what was written about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from paribus.store import Store
from paribus.worklog import work_log

from .conftest import Cli


def test_labs_lists_installed_labs_and_a_file(cli: Cli) -> None:
    assert "svhn.softmax" in cli("labs").out
    own = cli("labs", "my_lab.py")
    assert "Does a larger rate help a toy?" in own.out
    assert "my_lab.py.rate" in own.out
    assert "svhn" not in own.out


def test_a_broken_installed_lab_hides_no_other(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.spec.registry.lab_names", lambda: ("nowhere", "svhn"))
    listed = cli("labs")
    assert listed.code == 0
    assert "svhn.softmax" in listed.out
    assert "nowhere is left out" in listed.err


def test_show_gives_the_configuration_and_the_changes(cli: Cli) -> None:
    shown = cli("show", "my_lab.py/trick/rate=0.30")
    assert shown.code == 0
    first, *rest = shown.out.splitlines()
    assert first.startswith("my_lab.py/trick/rate=0.3  ")
    assert any(line.split() == ["rate", "0.3"] for line in rest)
    assert any(line.split() == ["trick", "True"] for line in rest)
    assert any("Adds to the accuracy." in line for line in rest)
    swapped = cli("show", "my_lab.py/rate=0.3/trick").out.splitlines()[0]
    assert swapped.split()[1] == first.split()[1]


def test_show_gives_a_group_of_fields_its_class_and_no_value(cli: Cli) -> None:
    rows = [line.split() for line in cli("show", "svhn/abs_max").out.splitlines()]
    assert ["budget", "(Budget)"] in rows
    assert "'Budget'" not in {word for row in rows for word in row}


def test_show_gives_each_change_the_fields_and_values_of_its_own_step(cli: Cli) -> None:
    assert "steps: 40 -> 10" in cli("show", "my_lab.py/double/half").out
    assert "'slim' -> 'vgg16'" in cli("show", "textsnake/slim/backbone=vgg16").out
    whole = cli("show", "svhn/brief").out
    assert "budget.batch_size: 256 -> 64" in whole
    assert "'Budget'" not in whole


def test_diff_is_minimal(cli: Cli) -> None:
    shown = cli("diff", "my_lab.py/trick", "my_lab.py/rate=0.3")
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["rate", "0.1", "0.3"] in lines
    assert ["trick", "True", "False"] in lines
    assert "steps" not in shown.out
    assert "same experiment" in cli("diff", "my_lab.py/trick/double", "my_lab.py/double/trick").out
    assert "different labs" in cli("diff", "my_lab.py/base", "svhn/base").error


def test_tree_offers_changes_and_then_shows_effects(cli: Cli) -> None:
    empty = cli("tree")
    assert "Nothing has been run yet" in empty.out
    assert "paribus tree LAB, with one of adversarial, " in empty.out
    assert "abs_max" not in empty.out, "changes of a lab that is named, and of no other"
    offered = cli("tree", "my_lab.py")
    assert "Nothing of my_lab.py has been run yet" in offered.out
    assert "Adds to the accuracy." in offered.out
    assert "rate=..." in offered.out
    cli("compare", "my_lab.py/base", "my_lab.py/trick", "my_lab.py/trick/rate=0.3", "--seeds", "4")
    grown = cli("tree").out.splitlines()
    assert grown[0].startswith("my_lab.py")
    trick = next(line for line in grown if "── trick" in line)
    under = next(line for line in grown if "── rate=0.3" in line)
    assert "(n = 4)" in trick
    assert not any(word in under for word in ("better", "worse", "undecided"))
    assert under.index("──") > trick.index("──")
    # rate=0.3 is worth 0.1 more accuracy on top of trick: its edge says that, and not its distance to the baseline.
    assert 9.5 < float(under.partition("  +")[2].split()[0]) < 10.5


def test_an_alias_stands_where_a_name_does(cli: Cli, folder: Path) -> None:
    assert "No aliases yet" in cli("alias").out
    assert cli("alias", "best", "my_lab.py/trick").code == 0
    assert cli("alias").out.split() == ["best", "my_lab.py/trick"]
    assert cli("show", "best/rate=0.3").out == cli("show", "my_lab.py/trick/rate=0.3").out
    done = cli("compare", "my_lab.py/base", "best", "--seeds", "1", "--json", "-")
    assert done.json["arms"][0]["name"] == "my_lab.py/trick"
    assert (
        cli("run", "my_lab.py.failing", "--base", "best", "--seeds", "1", "--json", "-").json["base"]
        == "my_lab.py/trick"
    )
    assert "best" in cli("note", "bets", "x").error
    assert cli("alias", "best", "my_lab.py/trick").out == "best stands for my_lab.py/trick\n"
    assert "no longer for my_lab.py/trick" in cli("alias", "best", "my_lab.py/double").out
    for wrong in ("svhn", "a.b", "a/b", "two words"):
        assert cli("alias", wrong, "my_lab.py/trick").code == 2
    assert "paribus alias best NAME" in cli("alias", "best").error


def test_looking_at_a_name_makes_no_store(cli: Cli, folder: Path) -> None:
    assert cli("show", "no_such_alias").code == 2
    assert cli("show", "my_lab.py/trick").code == 0
    for command in (["tree"], ["tree", "my_lab.py"], ["log"], ["log", "my_lab.py/trick"], ["alias"]):
        looked = cli(*command)
        assert looked.code == 0
        assert f"no store {folder / 'store.sqlite'} yet" in looked.err
    assert cli("report", "my_lab.py.rate").code == 2
    assert not (folder / "store.sqlite").exists()


def test_the_log_tells_what_happened_in_order(cli: Cli) -> None:
    assert "Nothing is written yet" in cli("log").out
    cli("run", "my_lab.py.diverging", "--seeds", "3")
    cli("run", "my_lab.py.failing", "--seeds", "1")
    assert cli("note", "my_lab.py.diverging", "It needs a smaller rate.").code == 0
    assert cli("note", "my_lab.py/trick", "A trick, indeed.").code == 0
    whole = " ".join(cli("log").out.split())
    for said in (
        "seed 1 diverged: the loss is not finite at step 3", "ValueError: steps must", "steps=0 diverges",
        "It needs a smaller rate.", "A trick, indeed.",
    ):  # fmt: skip
        assert _in_columns(said, whole), said
    assert _before("diverges", "smaller", whole)
    of_one = " ".join(cli("log", "my_lab.py/trick").out.split())
    assert "indeed" in of_one
    assert "smaller" not in of_one
    of_study = " ".join(cli("log", "my_lab.py.diverging").out.split())
    assert "smaller" in of_study
    assert "indeed" not in of_study
    with Store.open() as store:
        assert [note.author for note in store.notes()] == ["person", "person"]


def test_the_log_in_a_pipe_has_a_line_an_entry(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word{number}" for number in range(100))
    cli("note", "my_lab.py/trick/rate=0.25", f"{text}\nand its end")
    heading, line = cli("log").out.splitlines()
    assert heading.split() == ["written", "by", "about", "what"]
    assert line.endswith(f"my_lab.py/trick/rate=0.25  {text} and its end")
    assert line.index("word0") == heading.index("what")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal
    assert len(cli("log").out.splitlines()) > 10, "wrapped"


def test_the_log_says_that_an_ablation_lacks_what_it_names(cli: Cli) -> None:
    contributes = cli("ablate", "my_lab.py/trick/double", "--seeds", "6").out
    assert any("trick" in line and "better" in line for line in contributes.splitlines())
    assert _in_columns("6 seeds against my_lab.py/trick/double without trick worse", cli("log").out)


def _in_columns(said: str, text: str) -> bool:
    """Whether the words of *said* come in this order: a narrow column breaks lines between them."""
    place = 0
    for word in said.split():
        place = text.find(word, place)
        if place < 0:
            return False
    return True


def _before(first: str, second: str, text: str) -> bool:
    return text.index(first) < text.index(second)


def test_notes_are_about_something(cli: Cli) -> None:
    for name in ("my_lab.py/trik", "my_lab.py.rte", "svnh", "nothing/base"):
        assert cli("note", name, "x").code == 2
    assert "'trick'" in cli("note", "my_lab.py/trik", "x").error
    assert "'rate'" in cli("note", "my_lab.py.rte", "x").error
    assert "'svhn'" in cli("note", "svnh", "x").error
    assert "empty" in cli("note", "my_lab.py/trick", "  ").error
    assert cli("note", "svhn", "A lab.").code == 0
    assert cli("note", "my_lab.py.compare", "A comparison.").code == 0


def test_the_control_is_called_by_all_that_it_is(cli: Cli) -> None:
    shown = cli("compare", "my_lab.py/trick/rate=0.3", "my_lab.py/base", "--seeds", "1").out
    row = next(line for line in shown.splitlines() if " control" in line and not line.startswith("control"))
    assert row.startswith("trick/rate=0.3 ")


def test_an_arm_of_another_lab_is_called_by_its_whole_name(cli: Cli, folder: Path) -> None:
    (folder / "other.py").write_text((folder / "my_lab.py").read_text().replace("0.02 *", "0.03 *"))
    shown = cli("compare", "my_lab.py/base", "other.py/base", "--seeds", "1").out
    rows = [line.split()[0] for line in shown.splitlines() if "base" in line.split()[:1] or "other.py" in line[:10]]
    assert rows[:2] == ["base", "other.py/base"], shown


def test_where_the_seeds_agree_nobody_asks_for_more_of_them(cli: Cli, folder: Path) -> None:
    (folder / "still.py").write_text(PLAIN.replace('0.01 * context.streams.generator("noise").normal()', "0.0"))
    (folder / "helper.py").write_text("FACTOR = 2.0\n")
    shown = cli("compare", "still.py/base", "still.py/rate=0.3", "--metric", "cost", "--seeds", "3").out
    assert "the same on all 3 seeds" in " ".join(shown.split())
    assert "three paired seeds or more" not in shown
    assert (
        "three paired seeds"
        in cli("compare", "still.py/base", "still.py/rate=0.5", "--metric", "cost", "--seeds", "2").out
    )


def test_the_log_is_of_what_was_named(cli: Cli, folder: Path) -> None:
    about = ("my_lab.py/rate=0.5", "my_lab.py/trick/rate=0.5", "my_lab.py.rate", "my_lab.py", "my_lab.py.diverging")
    for name in about:
        assert cli("note", name, f"[{name}]").code == 0

    def told(name: str) -> set[str]:
        with Store.open() as store:
            return {line.about for line in work_log(store, name)}

    assert told("my_lab.py/rate=0") == set()
    assert told("my_lab.py/rate=0.5") == {"my_lab.py/rate=0.5"}
    assert told("my_lab.py/rate=0.5/trick") == {"my_lab.py/trick/rate=0.5"}
    assert told("my_lab.py/trick") == {"my_lab.py/trick/rate=0.5"}
    assert told("my_lab.py.rate") == {"my_lab.py.rate"}
    assert told("my_lab.py") == set(about)
    assert "Nothing is written" in cli("log", "my_lab.py/rate=0").out
    assert "my_lab.py" in cli("log", "my_lab.py/rate=0.50").out


def test_a_lab_in_a_folder_has_a_log_too(cli: Cli, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "my_lab.py").write_text((folder / "my_lab.py").read_text())
    for name in ("sub/my_lab.py.rate", "sub/my_lab.py/trick", "sub/my_lab.py", "sub/my_lab.py.compare"):
        assert cli("note", name, "Yes.").out == f"Noted about {name}.\n"
        assert "Yes." in cli("log", name).out
    assert "'rate'" in cli("note", "sub/my_lab.py.rte", "x").error
    assert "Nothing is written" in cli("log", "my_lab.py/trick").out


PLAIN = """
from dataclasses import dataclass

from helper import FACTOR


@dataclass(frozen=True)
class Config:
    rate: float = 0.1


def run(config, context):
    return {"cost": FACTOR * config.rate + 0.01 * context.streams.generator("noise").normal()}
"""


def test_tree_of_a_file_without_studies_shows_what_was_compared(cli: Cli, folder: Path) -> None:
    (folder / "plain.py").write_text(PLAIN)
    (folder / "helper.py").write_text("FACTOR = 2.0\n")
    names = ("plain.py/base", "plain.py/rate=0.3")
    assert cli("compare", *names, "--metric", "cost", "--direction", "min", "--seeds", "4").code == 0
    shown = cli("tree", "plain.py").out
    assert "cost" in shown
    assert "accuracy" not in shown
    assert "(n = 4)" in shown
    assert "other code" not in shown
    (folder / "helper.py").write_text("FACTOR = 900.0\n")
    assert "other code now" in cli("tree", "plain.py").out
    again = cli("compare", *names, "--metric", "cost", "--direction", "min", "--seeds", "4", "--json", "-").json
    assert again["arms"][0]["control_mean"] > 80


def test_a_file_of_the_same_name_elsewhere_leaves_the_looks_alone(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("run", "my_lab.py.rate", "--seeds", "4").code == 0
    other = folder / "other"
    other.mkdir()
    (other / "my_lab.py").write_text((folder / "my_lab.py").read_text())
    monkeypatch.chdir(other)
    assert "has not been run" in cli("report", "my_lab.py.rate").error
    assert cli("run", "my_lab.py.rate", "--seeds", "3").code == 0
    monkeypatch.chdir(folder)
    with Store.open(None) as store:
        from paribus.revisit import revisit
        from paribus.spec import registry

        found = revisit(registry.study("my_lab.py.rate"), store).results
    assert set(found.counts.values()) == {4}
