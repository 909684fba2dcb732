"""What ``run``, ``compare`` and ``ablate`` share: conduct a study in view of the user, then hand over what it gave."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import RenderableType

from paribus.cli.files import page_by_hand, prepare
from paribus.cli.handing import STANDARD_OUTPUT, hand_over
from paribus.cli.terminal import err, say
from paribus.cli.typed import typed
from paribus.errors import ConfigError, RunError
from paribus.exhibit import exhibit
from paribus.flow import Conducted, conduct, why
from paribus.gather import Results
from paribus.report.live import LiveView
from paribus.report.material import Material
from paribus.run.local import LocalRunner
from paribus.spec.study import Study
from paribus.spec.trial import Event, Finished, Trial
from paribus.store import Store


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How the user wants a study run, and where what it gives should go."""

    store: str | None
    seeds: int | None = None
    until_decided: bool = False
    max_seeds: int | None = None
    workers: int = 0
    device: str = "cpu"
    json_file: str | None = None
    report: Path | None = None

    def __post_init__(self) -> None:
        if self.until_decided and self.seeds is not None:
            raise ConfigError("--seeds fixes their number, --until-decided does not: give one of the two")
        if self.max_seeds is not None and not self.until_decided:
            raise ConfigError("--max-seeds belongs to --until-decided; --seeds fixes their number")


class Tally:
    """Counts the trials that are kept while a study runs, for the line that an interruption leaves."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self.kept = 0
        self.total = 0

    def planned(self, trials: Sequence[Trial], done: int) -> None:
        """Hear of the *trials* to come beside *done* that are kept."""
        self.kept, self.total = done, done + len(trials)
        self._view.planned(trials, done)

    def event(self, event: Event) -> None:
        """Hear of something that happened."""
        self.kept += isinstance(event.what, Finished)
        self._view.event(event)

    def waiting(self, conductors: Mapping[str, str]) -> None:
        """Hear that others run all that is left."""
        self._view.waiting(conductors)


def conduct_in_view(
    study: Study,
    wishes: Wishes,
    *,
    base: str | None = None,
    base_reason: str = "",
    show: Callable[[Results, Material], RenderableType] | None = None,
) -> None:
    """Run *study* with progress on standard error, then print its verdicts and write its page and its JSON.

    *show* makes what is printed, where a command has something better than the verdict table.

    Raises:
        typer.Exit: with 130 where the user interrupted it.
        RunError: some trials failed; all that the others gave has been shown and written by then.
    """
    check_device(wishes.device)
    page = prepare(wishes.report or page_by_hand(study), "--report")
    if wishes.json_file not in (None, STANDARD_OUTPUT):
        prepare(Path(wishes.json_file), "--json")
    with Store.open(wishes.store) as store:
        conducted = _conduct(study, wishes, store, base)
        material = exhibit(conducted.results, base_reason=base_reason, command=typed())
        shown = show(conducted.results, material) if show is not None else None
        hand_over(material, page, wishes.json_file, shown=shown)
    refuse_failures(conducted.results)


def refuse_failures(results: Results) -> None:
    """Raise where trials failed: their errors are the user's to mend, and the exit code says so."""
    failed = [record for record in results.records if record.outcome == "failed"]
    if failed:
        first = failed[0]
        raise RunError(
            f"{len(failed)} of {len(results.records)} trials failed; the first, {first.name} seed {first.seed}: "
            f"{why(first)}; the same command tries them again"
        )


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have."""
    if device == "cpu":
        return
    if not re.fullmatch(r"cuda(:\d+)?|mps", device):
        raise ConfigError(f"--device {device}: write cpu, cuda, cuda:N or mps")
    import torch

    count = torch.cuda.device_count()
    there = torch.backends.mps.is_available() if device == "mps" else int(device.partition(":")[2] or 0) < count
    if not there:
        has = "mps" if torch.backends.mps.is_available() else f"{count} CUDA devices"
        raise ConfigError(f"--device {device}: PyTorch finds {has} on this machine; --device cpu works everywhere")


def _conduct(study: Study, wishes: Wishes, store: Store, base: str | None) -> Conducted:
    view = LiveView(err(), metric=study.metric)
    tally = Tally(view)
    try:
        with view:
            return conduct(
                study,
                store=store,
                runner=LocalRunner(workers=wishes.workers, device=wishes.device),
                seeds=wishes.seeds,
                base=base,
                until_decided=wishes.until_decided,
                max_seeds=wishes.max_seeds,
                listener=tally,
            )
    except KeyboardInterrupt:
        say(f"Interrupted: {tally.kept} of {tally.total} trials are kept; the same command goes on from there.")
        raise typer.Exit(130) from None
