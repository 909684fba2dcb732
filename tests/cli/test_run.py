"""Studies run from the command line: verdicts, files, exit codes, and interruptions that lose nothing."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paribus.cli import main
from paribus.cli.typed import without_password
from paribus.store import Store

from .conftest import LAB, Cli

TOP = {"study", "question", "control", "metric", "margin", "alpha", "environment", "arms"}
ARM = {
    "name", "n", "mean", "sd", "control_mean", "difference", "low", "high", "p_value", "adjusted_p", "verdict",
    "diverged", "confounded", "seeds",
}  # fmt: skip


def test_a_study_gives_verdicts_a_page_and_runs_once(whole_cli: Cli, folder: Path) -> None:
    first = whole_cli("run", "my_lab.py.rate")
    assert first.code == 0
    assert "Does rate help?" in first.out
    assert "✓ better" in first.out
    assert "a lab may print" not in first.out
    assert "12 trials to run" in first.err
    assert "Report: reports/my_lab.rate.html" in first.out
    assert "</html>" in (folder / "reports" / "my_lab.rate.html").read_text()
    again = whole_cli("run", "my_lab.py.rate")
    assert again.code == 0
    assert "to run" not in again.err
    assert again.out == first.out


def test_json_keeps_the_contract_and_stands_alone(cli: Cli, folder: Path) -> None:
    printed = cli("run", "my_lab.py.rate", "--json", "-")
    verdicts = printed.json
    assert verdicts.keys() >= TOP
    assert (verdicts["study"], verdicts["control"]) == ("my_lab.py.rate", "my_lab.py/base")
    assert [arm["name"] for arm in verdicts["arms"]] == ["my_lab.py/rate=0.3", "my_lab.py/trick"]
    for arm in verdicts["arms"]:
        assert arm.keys() >= ARM
        assert arm["seeds"] == list(range(arm["n"])) == [0, 1, 2, 3]
        assert arm["low"] <= arm["difference"] <= arm["high"]
        assert arm["difference"] == pytest.approx(arm["mean"] - arm["control_mean"])
    assert verdicts["environment"]["device"] == "cpu"
    assert verdicts["environment"].keys() >= {"paribus_commit", "code"}, "no commit that seems the lab's own"
    assert "Report:" in printed.err
    cli("run", "my_lab.py.rate", "--json", "verdicts.json")
    assert json.loads((folder / "verdicts.json").read_text()) == verdicts


def test_fewer_or_more_seeds_and_a_base(cli: Cli, folder: Path) -> None:
    assert cli("run", "my_lab.py.rate", "--seeds", "1", "--json", "-").json["arms"][0]["seeds"] == [0]
    based = cli("run", "my_lab.py.rate", "--seeds", "2", "--base", "my_lab.py/double", "--json", "-").json
    assert based["control"] == "my_lab.py/double"
    assert [arm["name"] for arm in based["arms"]] == ["my_lab.py/double/rate=0.3", "my_lab.py/double/trick"]
    assert (folder / "reports" / "my_lab.rate-on-my_lab.py_double.html").exists()


def test_seeds_are_added_until_all_is_decided(cli: Cli) -> None:
    decided = cli("run", "my_lab.py.rate", "--until-decided", "--max-seeds", "12", "--json", "-").json
    for arm in decided["arms"]:
        assert arm["verdict"] == "better" or arm["n"] == 12
        assert "sequential" in arm["method"]
    assert min(arm["n"] for arm in decided["arms"]) < 12


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--until-decided", "--seeds", "4"], "--until-decided"),
        (["--max-seeds", "4"], "--max-seeds"),
        (["--until-decided", "--max-seeds", "2"], "3 seeds"),
        (["--device", "gpu"], "cpu, cuda"),
        (["--base", "svhn/base"], "another lab"),
        (["--base", "my_lab.py/trick"], "trick"),
        (["--report", "/proc/no/page.html"], "--report"),
        (["--report", "/proc/page.html"], "--report"),
        (["--report", "."], "--report"),
        (["--json", "/proc/no/verdicts.json"], "--json"),
    ],
)
def test_contradictory_wishes_are_refused_before_anything_runs(cli: Cli, options: list[str], words: str) -> None:
    refused = cli("run", "my_lab.py.rate", *options)
    assert (refused.code, refused.out) == (2, "")
    if words != "another lab":
        assert words in refused.error
    with Store.open() as store:
        assert store.trials() == []


@pytest.mark.slow  # it loads torch
def test_a_device_that_is_not_there_is_refused(cli: Cli) -> None:
    assert "--device cpu" in cli("run", "my_lab.py.rate", "--device", "cuda:77").error


def test_divergence_is_a_finding_and_failure_an_error(cli: Cli) -> None:
    diverged = cli("run", "my_lab.py.diverging", "--json", "-")
    assert diverged.code == 0
    (arm,) = diverged.json["arms"]
    assert (arm["verdict"], arm["diverged"], arm["n"], arm["mean"]) == ("diverges", 4, 0, None)
    failed = cli("run", "my_lab.py.failing")
    assert failed.code == 1
    assert "3 of 6 trials failed" in failed.error
    assert "steps must not be negative" in failed.error
    assert "3 trials failed" in failed.out
    everything = cli("compare", "my_lab.py/steps=-1", "my_lab.py/steps=-2", "--seeds", "1")
    assert everything.code == 1
    assert "every trial" in everything.error


def test_a_metric_that_nothing_measures_is_named(cli: Cli) -> None:
    refused = cli("run", "my_lab.py.mistyped")
    assert refused.code == 2
    assert "'acuracy'" in refused.error
    assert "'accuracy'" in refused.error


def test_compare_takes_names_metric_and_margin(cli: Cli) -> None:
    done = cli(
        "compare", "my_lab.py/base", "my_lab.py/rate=0.3/trick", "--metric", "loss", "--seeds", "3", "--json", "-"
    )
    (arm,) = done.json["arms"]
    assert done.json["direction"] == "min"
    assert "--direction max" in done.err
    assert (arm["confounded"], arm["verdict"]) == (True, "better")
    against = cli(
        "compare", "my_lab.py/base", "my_lab.py/rate=0.3", "--metric", "loss", "--direction", "max", "--seeds", "3",
        "--margin", "0.5", "--alpha", "0.1", "--json", "-",
    )  # fmt: skip
    assert (against.json["margin"], against.json["alpha"]) == (0.5, 0.1)
    assert against.json["arms"][0]["verdict"] == "equivalent"
    assert "--direction" in cli("compare", "my_lab.py/base", "my_lab.py/trick", "--direction", "up").error
    same = cli("compare", "my_lab.py/trick/double", "my_lab.py/double/trick")
    assert (same.code, "same experiment" in same.error) == (2, True)


def test_ablate_drops_what_can_be_dropped(cli: Cli, folder: Path) -> None:
    done = cli("ablate", "my_lab.py/trick/double/half", "--seeds", "3", "--json", "out.json")
    assert done.code == 0
    assert "trick" in done.out
    assert "double cannot be dropped alone" in done.out
    names = [arm["name"] for arm in json.loads((folder / "out.json").read_text())["arms"]]
    assert names == ["my_lab.py/double/half", "my_lab.py/trick/double"]
    assert "no changes" in cli("ablate", "my_lab.py/base").error


def test_report_comes_from_the_store_alone(cli: Cli, folder: Path) -> None:
    before = cli("report", "my_lab.py.rate")
    assert before.code == 2
    assert "paribus run my_lab.py.rate" in before.error
    verdicts = cli("run", "my_lab.py.rate", "--json", "-").json
    again = cli("report", "my_lab.py.rate", "--out", "page.html", "--json", "-")
    assert again.json == verdicts
    assert again.err.strip() == "Report: page.html"
    assert (folder / "page.html").read_text().startswith("my_lab.py.rate")
    (folder / "my_lab.py").write_text(LAB.replace("0.02 * config.trick", "0.03 * config.trick"))
    changed = cli("report", "my_lab.py.rate", "--json", "-")
    assert changed.json == verdicts
    assert "my_lab.py has other code" in changed.err
    assert cli("run", "my_lab.py.rate", "--json", "-").json != verdicts
    assert "other code" not in cli("report", "my_lab.py.rate", "--json", "-").err
    (folder / "my_lab.py").write_text(LAB)
    back = cli("report", "my_lab.py.rate", "--json", "-")
    assert (back.json, "other code" in back.err) == (verdicts, False)


def test_two_runs_of_a_study_at_once_share_the_work_and_say_the_same(cli: Cli, folder: Path) -> None:
    (folder / "my_lab.py").write_text(LAB.replace("    draw, own", "    import time; time.sleep(0.2)\n    draw, own"))
    command = [sys.executable, "-c", "import sys; from paribus.cli import main; sys.exit(main())"]
    other = subprocess.Popen(
        [*command, "run", "my_lab.py.rate", "--workers", "1", "--json", "-"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stderr is not None
    assert other.stderr.readline() == "12 trials to run\n"
    mine = cli("run", "my_lab.py.rate", "--workers", "1", "--json", "-")
    out, err = other.communicate(timeout=30)
    assert (mine.code, other.returncode) == (0, 0), err
    assert json.loads(out) == mine.json
    with Store.open() as store:
        records = store.trials()
    assert [record.attempts for record in records] == [1] * 12
    assert len({record.conductor for record in records}) == 2
    assert "[12/12]" in mine.err
    assert "[12/12]" in err


def test_ctrl_c_keeps_what_finished_and_the_same_command_goes_on(cli: Cli, folder: Path) -> None:
    (folder / "my_lab.py").write_text(LAB.replace("    draw, own", "    import time; time.sleep(0.2)\n    draw, own"))
    command = [sys.executable, "-c", "import sys; from paribus.cli import main; sys.exit(main())"]
    running = subprocess.Popen(
        [*command, "run", "my_lab.py.rate", "--workers", "1"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    lines: list[str] = []
    while not lines or "[2/12]" not in lines[-1]:
        lines.append(running.stderr.readline())
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    kept = int(last.split()[1])
    assert last == f"Interrupted: {kept} of 12 trials are kept; the same command goes on from there."
    assert 2 <= kept < 12, lines
    assert f"{12 - kept} trials to run, {kept} done already" in cli("run", "my_lab.py.rate").err


def test_the_live_view_stays_within_80_columns_and_leaves_the_table(folder: Path) -> None:
    """In a pseudo terminal, where progress redraws itself."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover
        os.environ.update(TERM="xterm", COLUMNS="80")
        code = "import sys, paribus.report.page as page; from paribus.cli import main; "
        code += "page.write_page = lambda material, path: path; sys.exit(main())"
        os.execv(sys.executable, [sys.executable, "-c", code, "run", "my_lab.py.rate", "--seeds", "3"])
    written = b""
    begun = time.monotonic()
    while time.monotonic() - begun < 60:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the other side has closed
            break
        if not chunk:
            break
        written += chunk
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    text = written.decode()
    assert "\x1b[" in text
    assert "of 9 trials" in text
    assert "Report: reports/my_lab.rate.html" in text


@pytest.mark.parametrize(
    ("command", "redirected"),
    [
        ("tree my_lab.py", ""),
        ("run my_lab.py.rate --seeds 1 --json -", ""),
        ("run my_lab.py.rate --seeds 1", "2>&1"),
        ("--help", ""),
    ],
)
def test_a_reader_who_leaves_is_no_error(folder: Path, command: str, redirected: str) -> None:
    code = "import sys; from paribus.cli import main; sys.exit(main())"
    # The reader is gone before the first word is written.
    shell = f"{{ sleep 0.3; {sys.executable} -c '{code}' {command} {redirected}; }} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr.lower()
    if command.startswith("run"):
        with Store.open() as store:
            assert [record.outcome for record in store.trials()] == ["completed"] * 3


def test_a_study_goes_on_where_nobody_reads_its_progress(folder: Path) -> None:
    code = "import sys; from paribus.cli import main; sys.exit(main())"
    run = f"{sys.executable} -c '{code}' run my_lab.py.rate --seeds 1 --json out.json"
    shell = f"{{ sleep 0.3; {run} 2>&3 >table.txt; }} 3>&1 | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert "Does rate help?" in (folder / "table.txt").read_text()
    assert len(json.loads((folder / "out.json").read_text())["arms"]) == 2


def test_a_pipe_that_breaks_elsewhere_is_no_success(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("paribus.cli.naming.find", broken)
    with pytest.raises(SystemExit) as ended:
        main(["show", "my_lab.py/base"])
    assert ended.value.code == 1


def test_ctrl_c_anywhere_is_130(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("paribus.cli.naming.find", interrupted)
    assert main(["show", "my_lab.py/base"]) == 130


def test_comparisons_have_pages_of_their_own(cli: Cli, folder: Path) -> None:
    for arguments in (
        ["compare", "my_lab.py/base", "my_lab.py/trick"],
        ["compare", "my_lab.py/base", "my_lab.py/trick", "--metric", "loss"],
        ["compare", "my_lab.py/trick", "my_lab.py/trick/rate=0.3", "my_lab.py/trick/double", "my_lab.py/base"],
        ["ablate", "my_lab.py/trick/rate=0.3"],
    ):
        done = cli(*arguments, "--seeds", "1")
        page = folder / done.out.rpartition("Report: ")[2].strip()
        assert page.exists()
        assert len(page.name) < 90
        again = cli(*arguments, "--seeds", "1")
        assert again.out == done.out
    pages = sorted(page.name for page in (folder / "reports").iterdir())
    assert len(pages) == 4
    assert pages[0].startswith("my_lab.ablate-trick+rate=0.3-rate=0.3-trick-")
    assert any(page.startswith("my_lab.compare-base-trick-") for page in pages)


def test_a_report_says_the_command_that_repeats_it(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[str] = []
    monkeypatch.setattr("paribus.report.page.write_page", lambda material, path: commands.append(material.command))

    def repeated(*options: str) -> str:
        assert cli("report", *options).code == 0
        return commands[-1]

    (folder / "a lab.py").write_text(LAB)
    cli("run", "a lab.py.rate", "--seeds", "2", "--base", "a lab.py/double")
    base = ["--base", "a lab.py/double"]
    said = "paribus run 'a lab.py.rate' --base 'a lab.py/double' --seeds 2"
    assert repeated("a lab.py.rate", *base) == said
    store = str(folder / "store.sqlite")
    assert repeated("a lab.py.rate", *base, "--store", store) == f"{said} --store {store}"
    cli("run", "my_lab.py.rate", "--until-decided", "--max-seeds", "6")
    assert repeated("my_lab.py.rate") == "paribus run my_lab.py.rate --until-decided --max-seeds 6"


def test_a_report_shows_no_password() -> None:
    assert without_password("postgresql://ada:secret@host/db") == "postgresql://ada@host/db"
    assert without_password("--store=postgresql://ada:s:e@host:5432/db") == "--store=postgresql://ada@host:5432/db"
    for word in ("postgresql://ada@host:5432/db", "sqlite:///a:b@c", "my_lab.py/rate=0.3"):
        assert without_password(word) == word


def test_ablate_shows_what_a_reader_must_know(cli: Cli, folder: Path) -> None:
    cli("ablate", "my_lab.py/trick/steps=0", "--seeds", "3")
    shown = " ".join(cli("ablate", "my_lab.py/trick/steps=0", "--seeds", "4").out.split())
    assert "without trick: 4 trials diverged." in shown
    assert "The control: 4 trials diverged." in shown


def test_verdicts_survive_a_lab_that_cannot_show_its_data(whole_cli: Cli, folder: Path) -> None:
    own = "\nfrom paribus import Lab\nLAB = Lab(name='my_lab', question='?', baseline=Config(), run=run, "
    own += "changes=changes, studies=(study('trick', 'trick'),), data_in_words=lambda config: config.nothing)\n"
    (folder / "my_lab.py").write_text(LAB + own)
    done = whole_cli("run", "my_lab.py.trick", "--json", "-")
    assert done.code == 0
    assert done.json["arms"][0]["verdict"] == "better"
    note = "note: my_lab.py: data_in_words: AttributeError: 'Config' object has no attribute 'nothing'"
    assert f"{note}; the report goes on without" in done.err
    assert "has no attribute" in (folder / "reports" / "my_lab.trick.html").read_text()
