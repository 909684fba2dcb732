"""Where names come from: installed labs by entry point, a user's own file by its path.

Nothing here imports a lab before it is asked for, and a lab's package brings no torch when it is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import os
import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from paribus.errors import ConfigError, UnknownName, suggest
from paribus.spec.experiment import Experiment, build
from paribus.spec.field_change import field_changes
from paribus.spec.lab import Lab
from paribus.spec.name import BY_HAND, split
from paribus.spec.study import Study, usual_direction

GROUP = "paribus.labs"


def lab_names() -> tuple[str, ...]:
    """Return the names of the installed labs, sorted."""
    return tuple(sorted(point.name for point in entry_points(group=GROUP)))


def lab(name: str) -> Lab:
    """Return the lab called *name*: an installed one, or the one in the Python file at that path, as it is now."""
    return _lab_from_file(name) if name.endswith(".py") else _installed_lab(name)


@cache
def _installed_lab(name: str) -> Lab:
    for point in entry_points(group=GROUP):
        if point.name == name:
            try:
                found = point.load()
            except Exception as error:  # somebody's package, and its own kinds of error
                raise ConfigError(f"lab {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
            if not isinstance(found, Lab):
                raise ConfigError(f"entry point {name!r} gives a {type(found).__name__}, not a Lab")
            return found if found.source else dataclasses.replace(found, source=_place(point.module))
    hint = " (a file of your own is named with its ending: my_lab.py)" if Path(f"{name}.py").exists() else ""
    raise UnknownName(f"no lab is called {name!r}{suggest(name, lab_names())}{hint}")


def experiment(name: str) -> Experiment:
    """Parse *name*, e.g. ``svhn/abs_max/lp_pool=4``, into the experiment that it is.

    A folder's path holds slashes of its own, and its parts may be called like changes. It goes on as far as there is a
    folder: ``svhn/image_folder=shop/affine`` is the folder ``shop/affine`` where there is one, or else the folder
    ``shop`` and the change ``affine``. So changes are best written before it, as :attr:`Experiment.name` does:
    ``svhn/affine/image_folder=shop`` can mean one thing only. A slash at the path's end counts for nothing.
    """
    lab_name, segments = split(name)
    if not lab_name:
        raise UnknownName(f"{name!r} is no experiment: write LAB/CHANGE/..., for instance svhn/abs_max")
    if _is_of_a_lab(name.strip()):
        known = study(name.strip()).name
        base = f"{known.rpartition('.')[0]}/base"
        raise UnknownName(f"{known!r} is a study, no experiment: paribus run {known}, or name an experiment: {base}")
    found = lab(lab_name)
    segments = _rejoin(found, segments)
    if "" in segments:
        raise UnknownName(f"{name!r} has an empty segment: take out the doubled or trailing '/'")
    return build(found, segments)


def _is_of_a_lab(name: str) -> bool:
    """Whether *name* has the form of a study, LAB.TOPIC, of a lab that there is or of a file."""
    before, _, topic = name.rpartition(".")
    of, changes = split(before)
    return topic.isidentifier() and topic != "py" and not changes and (of.endswith(".py") or of in lab_names())


def _place(module: str) -> tuple[Path, ...]:
    """The package's folder, or the file, of the module called *module*, which has been imported."""
    file = Path(sys.modules[module].__file__ or "")
    return (file.parent if file.name == "__init__.py" else file,)


def placed(study: Study, base: str | None) -> tuple[Study, str | None]:
    """Return *study* on *base*, and the base; the baseline is none, for a study stands on it anyway."""
    if not base or not experiment(base).edits:
        return study, None
    return on(study, base), base


def on(study: Study, base: str) -> Study:
    """Return *study* with every arm put on the experiment *base*; a folder that *base* names stays the names' end."""
    found = experiment(base)
    last = tuple(edit.segment for edit in found.edits if edit.change.takes_text)
    if not last:
        return study.on(base)
    return study.on("/".join((found.lab.name, *(change for change in found.changes if change not in last))), last)


def _rejoin(found: Lab, segments: tuple[str, ...]) -> tuple[str, ...]:
    """Join segments that belong to one parameter: ``image_folder=/home/me/pictures`` holds slashes of its own.

    To a parameter that takes any text belong the most segments after it with which it is the path of a folder, and then
    those that are no change of the lab.
    """
    joined: list[str] = []
    rest = list(segments)
    while rest:
        segment = rest.pop(0)
        word, equals, text = segment.partition("=")
        change = found.change(word)
        if equals and change is not None and change.takes_text:
            for count in range(len(rest), 0, -1):
                if os.path.isdir(os.path.expanduser("/".join((text, *rest[:count])))):  # pathlib refuses long names
                    text, rest = "/".join((text, *rest[:count])), rest[count:]
                    break
            while rest and not _is_change(found, rest[0]):
                text += f"/{rest.pop(0)}"
            segment = f"{word}={text.rstrip('/') or text[:1]}"
        joined.append(segment)
    return tuple(joined)


def _is_change(found: Lab, segment: str) -> bool:
    word = segment.partition("=")[0]
    return word == "base" or found.change(word) is not None


def study(name: str) -> Study:
    """Return the study called ``lab.topic``."""
    lab_name, dot, topic = name.rpartition(".")
    if name.endswith(".py") or not dot:
        raise UnknownName(f"{name!r} is no study: write LAB.STUDY, for instance {_instance(name)}")
    found = lab(lab_name)
    for candidate in found.studies:
        if candidate.name.rpartition(".")[2] == topic:
            return candidate
    if topic in BY_HAND:
        raise UnknownName(
            f"{name!r} is no study of the lab: the command paribus {topic} that made it writes its report again"
        )
    known = [candidate.name.rpartition(".")[2] for candidate in found.studies]
    raise UnknownName(f"lab {lab_name!r} has no study {topic!r}{suggest(topic, known)}")


def _instance(name: str) -> str:
    """The studies of the lab that *name* means, a few of them; one of another lab where it means none that has any."""
    studies = lab(name).studies if name.endswith(".py") or name in lab_names() else ()
    return " or ".join(study.name for study in studies[:3]) or "svhn.softmax"


def _lab_from_file(name: str) -> Lab:
    name = Path(name).as_posix()  # ./my_lab.py and my_lab.py are one lab
    path = Path(name).expanduser()
    if not path.is_file():
        raise UnknownName(f"there is no file {name!r}: write the path of your lab's Python file, then /base or /CHANGE")
    module = _import_file(path)
    made = getattr(module, "LAB", None)
    if isinstance(made, Lab):
        studies = tuple(_owned(study, name, made.name) for study in made.studies)
        return dataclasses.replace(made, name=name, studies=studies, source=made.source or (path.resolve(),))
    run = getattr(module, "run", None)
    if not callable(run):
        raise ConfigError(f"{name}: a lab's file defines run(config, context) -> dict of metrics; there is none")
    baseline = _baseline(module, name)
    document = (module.__doc__ or "").strip().splitlines()
    studies = tuple(_owned(study, name, path.stem) for study in getattr(module, "studies", ()))
    metric = getattr(module, "metric", studies[0].metric if studies else "accuracy")
    return Lab(
        name=name,
        question=document[0] if document else "A user's own lab.",
        baseline=baseline,
        run=run,
        changes=(*getattr(module, "changes", ()), *_unnamed(module, baseline)),
        studies=studies,
        metric=metric,
        direction=getattr(module, "direction", studies[0].direction if studies else usual_direction(metric)),
        data_in_words=getattr(module, "data_in_words", None),
        source=(path.resolve(),),
    )


def _unnamed(module: ModuleType, baseline: Any) -> tuple[Any, ...]:
    """The changes ``field=value`` that a file gets without writing them, save those whose name it uses itself."""
    taken = {change.name for change in getattr(module, "changes", ())}
    return tuple(change for change in field_changes(baseline) if change.name not in taken)


def _owned(study: Study, lab_name: str, written: str) -> Study:
    """Return *study* of a user's file with its names written out from the file's path on.

    In the file they may be short (``base``, ``wide``), or begin with the lab's own name *written* there.
    """

    def full(name: str) -> str:
        return name if name.startswith(f"{lab_name}/") else f"{lab_name}/{name.removeprefix(f'{written}/')}"

    topic = study.name.rpartition(".")[2]
    return dataclasses.replace(
        study, name=f"{lab_name}.{topic}", control=full(study.control), arms=tuple(full(arm) for arm in study.arms)
    )


def _import_file(path: Path) -> ModuleType:
    source = path.read_bytes()
    name = f"paribus_user_{path.stem}_{hashlib.sha256(source + bytes(path.resolve())).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: Python cannot import this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as Python does for a file that it runs: the modules beside it can be imported
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output belongs to verdicts
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        line, what = _within(path, error)
        raise ConfigError(f"{path}{line}: {type(error).__name__} while importing it: {what}") from error
    return module


def _within(path: Path, error: BaseException) -> tuple[str, str]:
    """Where in the file *path* it was that *error* came, as ``, line N``, and what it says, which is no place twice."""
    here = os.path.abspath(path)  # as Python calls the file
    if isinstance(error, SyntaxError) and error.filename == here:
        return f", line {error.lineno}", error.msg
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == here]
    return f", line {lines[-1]}" if lines else "", str(error)


def _baseline(module: ModuleType, name: str) -> Any:
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    ]
    chosen = [cls for cls in classes if cls.__name__ == "Config"] or classes
    if len(chosen) != 1:
        found = ", ".join(cls.__name__ for cls in chosen) or "none"
        raise ConfigError(f"{name}: define one frozen dataclass called Config, all fields with defaults; found {found}")
    try:
        return chosen[0]()
    except Exception as error:
        raise ConfigError(f"{name}: every field of {chosen[0].__name__} needs a default ({error})") from None
