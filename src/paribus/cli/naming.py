"""Names as people type them: an alias may stand where a lab and its first changes would."""

from __future__ import annotations

from paribus.errors import UnknownName, suggest
from paribus.spec import registry
from paribus.spec.experiment import Experiment
from paribus.spec.name import BY_HAND, split


def find(name: str, store: str | None) -> Experiment:
    """Return the experiment that *name* means; its first word may be an alias kept in the store at *store*."""
    return registry.experiment(written_out(name, store))


def written_out(name: str, store: str | None) -> str:
    """Return *name* with an alias at its head replaced by what it stands for."""
    head, _, rest = name.strip().partition("/")
    if is_lab(split(name)[0]):
        return name
    meant = _aliases(store).get(head)
    if meant is None:
        return name
    return f"{meant}/{rest}" if rest else meant


def subject(name: str, store: str | None) -> str:
    """Return the full name of what one may write a note about: an experiment, a study or a lab.

    Raises:
        UnknownName: it is none of these.
    """
    lab, _, topic = name.strip().rpartition(".")
    if is_lab(lab):
        return f"{registry.lab(lab).name}.{topic}" if topic in BY_HAND else registry.study(name.strip()).name
    full = written_out(name, store)
    head, changes = split(full)
    if changes or full != name:
        return registry.experiment(full).name
    if is_lab(head):
        return registry.lab(head).name
    if lab:
        return registry.study(name).name
    known = [*registry.lab_names(), *_aliases(store)]
    hint = "; a lab of your own is named by its file, with its ending: my_lab.py"
    raise UnknownName(f"{name!r} is no experiment, study or lab{suggest(name, known)}{hint}")


def is_lab(word: str) -> bool:
    """Return whether *word* names a lab and nothing of it: an installed one, or a file wherever it lies."""
    lab, changes = split(word)
    return not changes and (lab.endswith(".py") or lab in registry.lab_names())


def _aliases(store: str | None) -> dict[str, str]:
    """The aliases of the store at *store*; none where there is no store yet, and none is made."""
    from paribus.cli.reading import missing
    from paribus.store import Store

    if missing(store) is not None:
        return {}
    with Store.open(store) as opened:
        return opened.aliases()
