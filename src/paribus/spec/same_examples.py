"""Whether two experiments are tested on the same examples, as far as their configurations and their lab can say."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from paribus.spec.experiment import Experiment, flatten

DATA = {"data", "dataset"}
"""What a field is called that says which data an experiment is about."""


def same_examples(control: Experiment, arm: Experiment) -> bool:
    """Return whether example e of *control* and example e of *arm* may be taken for one example.

    Within a lab whose configurations have a field called ``data`` or ``dataset``, at whatever depth, equal ones are
    enough, and cost nothing to compare. Else what the lab says of its data in words decides, where it says anything;
    where it does not, such fields alone. Without either nothing is known, and the answer is yes.
    """
    fields = [_data_fields(experiment.config) for experiment in (control, arm)]
    if control.lab.name == arm.lab.name and fields[0] and fields[0] == fields[1]:
        return True
    words = [_in_words(experiment) for experiment in (control, arm)]
    if None not in words:
        return words[0] == words[1]
    return fields[0] == fields[1]


def _data_fields(config: Any) -> dict[str, Any]:
    return {path: value for path, value in flatten(config).items() if DATA & set(path.split("."))}


def _in_words(experiment: Experiment) -> str | None:
    describe = experiment.lab.data_in_words
    if describe is None:
        return None
    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output belongs to verdicts
            return str(describe(experiment.config))
    except Exception:  # a lab's own code, and its own kinds of error; the data may be elsewhere
        return None
