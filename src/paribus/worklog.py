"""The work log: what the program saw, from the store's looks and trials, and what people wrote, in order of time."""

from __future__ import annotations

from paribus.errors import ParibusError
from paribus.report.material import NoteLine
from paribus.spec import registry
from paribus.spec.name import split
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
