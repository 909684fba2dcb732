"""The work log: what the program saw, from the store's looks and trials, and what people wrote, in order of time."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.report.material import NoteLine
from paribus.store import Look, Store, TrialRecord


def work_log(store: Store, about: str | None = None) -> list[NoteLine]:
    """Return the lines of the log, oldest first; of *about*, an experiment, a study or a lab, and what is under it."""
    lines = [
        NoteLine(about=note.about, text=note.text, author=note.author, written=note.written)
        for note in store.notes()
        if _within(about, [note.about])
    ]
    lines += [_look(look) for look in store.looks() if _within(about, [look.study, *_experiments(look)])]
    lines += [
        _mishap(record)
        for record in store.trials()
        if record.outcome in ("diverged", "failed") and _within(about, [record.name])
    ]
    return sorted(lines, key=lambda line: line.written)


def _within(about: str | None, names: Sequence[str]) -> bool:
    return about is None or any(name == about or name.startswith((f"{about}/", f"{about}.")) for name in names)


def _experiments(look: Look) -> list[str]:
    return [look.summary["control"], *look.summary["verdicts"]]


def _look(look: Look) -> NoteLine:
    verdicts = look.summary["verdicts"]
    control = look.summary["control"]
    prefix = f"{control.removesuffix('/base')}/"
    said = ", ".join(f"{name.removeprefix(prefix)} {word}" for name, word in verdicts.items())
    seeds = f"{look.seeds} seed{'' if look.seeds == 1 else 's'}"
    text = f"{seeds} against {control}, by {look.summary['metric']}: {said}"
    return NoteLine(about=look.study, text=text, author="program", written=look.looked)


def _mishap(record: TrialRecord) -> NoteLine:
    assert record.finished is not None
    reason = record.message.strip().rpartition("\n")[2]
    text = f"seed {record.seed} {record.outcome}{f': {reason}' if reason else ''}"
    return NoteLine(about=record.name, text=text, author="program", written=record.finished)
