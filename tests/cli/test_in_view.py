"""What a verb's job says in the end: of Ctrl-C where it goes on, of a divergence one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from paribus.cli.in_view import in_view
from paribus.errors import RunError
from paribus.spec.context import Diverged


def test_a_job_has_its_context_and_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("paribus.report.watch.LINE_SECONDS", 0.0)
    with in_view("a cat", seed=3, device="cuda:1", scratch=tmp_path) as context:
        context.progress(2, 5)
    assert (context.seed, context.device, context.scratch) == (3, "cuda:1", tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("a cat: step 2 of 5")
    assert lines[-1].endswith("s")


@pytest.mark.parametrize(
    ("done", "said"),
    [(4, "stopped; the same command goes on from step 4"), (0, "stopped; nothing was kept yet")],
)
def test_an_interruption_says_where_it_goes_on_and_keeps_what_there_is(
    done: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def job() -> None:
        with in_view("a cat", seed=0, scratch=tmp_path / "job") as context:
            context.save_checkpoint(b"half")
            context.progress(done, 9)
            raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        job()
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == f"{said}\n"
    assert (tmp_path / "job" / "checkpoint").exists()


def test_a_divergence_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    def job() -> None:
        with in_view("a cat", seed=0, scratch=tmp_path / "job", remedy="; take smaller steps") as context:
            context.save_checkpoint(b"half")
            raise Diverged("the loss became nan")

    with pytest.raises(RunError, match=r"^a cat: it diverged \(the loss became nan\); take smaller steps$"):
        job()
    assert not list(tmp_path.iterdir())


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no number"), in_view("a cat", seed=0, scratch=tmp_path):
        raise ValueError("no number")
