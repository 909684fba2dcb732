"""The work log: what the program saw, from the store's looks and trials, and what people wrote, in order of time."""

from __future__ import annotations

from paribus.errors import ParibusError
from paribus.report.material import NoteLine
from paribus.spec import registry
from paribus.spec.name import split
from paribus.spec.trial import path_in, reason, traceback_in
from paribus.store import Look, Store, TrialRecord


def work_log(store: Store, about: str | None = None) -> list[NoteLine]:
    """Return the lines of the log, oldest first; of *about*, an experiment, a study or a lab, and what is under it."""
    within = _Within(about)
    lines = [
        NoteLine(about=note.about, text=note.text, author=note.author, written=note.written)
        for note in store.notes()
        if within(note.about)
    ]
    lines += [_look(look) for look in store.looks() if any(map(within, [look.study, *_experiments(look)]))]
    lines += [
        _mishap(record) for record in store.trials() if record.outcome in ("diverged", "failed") and within(record.name)
    ]
    return sorted(lines, key=lambda line: line.written)


def tracebacks(store: Store, about: str) -> list[tuple[str, str]]:
    """Return ``(trial, traceback)`` of what failed of *about*, and of what is under it; the same path through the code
    once an experiment."""
    within = _Within(about)
    found: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}
    for record in store.trials():
        text = traceback_in(record.message) if record.outcome == "failed" and within(record.name) else ""
        if text:
            found.setdefault((record.name, path_in(text)), (f"{record.name} seed {record.seed}", text))
    return list(found.values())


class _Within:
    """Whether a name is *about*, or under it: a lab has its studies and experiments, an experiment those it leads to.

    An experiment is the same in whatever order its changes are written.
    """

    def __init__(self, about: str | None) -> None:
        self._about = about
        self._lab, self._changes = split(about or "")
        self._hashes: dict[str, str] = {}

    def __call__(self, name: str) -> bool:
        about = self._about
        if about is None or name == about or name.startswith(f"{about}/"):
            return True
        if not self._changes:
            return name.startswith(f"{about}.")
        lab, changes = split(name)
        return bool(changes) and lab == self._lab and self._hash(name) == self._hash(about)

    def _hash(self, name: str) -> str:
        """The hash of the experiment *name*; the name itself where today's code knows no such one."""
        if name not in self._hashes:
            try:
                self._hashes[name] = registry.experiment(name).hash
            except ParibusError:
                self._hashes[name] = name
        return self._hashes[name]


def _experiments(look: Look) -> list[str]:
    return [look.summary["control"], *look.summary["verdicts"]]


def _look(look: Look) -> NoteLine:
    verdicts = look.summary["verdicts"]
    control = look.summary["control"]
    if look.study.endswith(".ablate"):
        # The arms lack what the table of an ablation is about: "worse" of an arm is "better" of its change.
        whole = split(control)[1]
        lacking = {name: [change for change in whole if change not in split(name)[1]] for name in verdicts}
        said = ", ".join(f"without {'/'.join(lacking[name])} {word}" for name, word in verdicts.items())
    else:
        prefix = f"{control.removesuffix('/base')}/"
        said = ", ".join(f"{name.removeprefix(prefix)} {word}" for name, word in verdicts.items())
    seeds = f"{look.seeds} seed{'' if look.seeds == 1 else 's'}"
    text = f"{seeds} against {control}, by {look.summary['metric']}: {said}"
    return NoteLine(about=look.study, text=text, author="program", written=look.looked)


def _mishap(record: TrialRecord) -> NoteLine:
    assert record.finished is not None
    text = f"seed {record.seed} {record.outcome}{f': {why}' if (why := reason(record.message)) else ''}"
    return NoteLine(about=record.name, text=text, author="program", written=record.finished)
