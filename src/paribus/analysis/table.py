"""Results made elsewhere: a CSV table of scores becomes arms.

Three forms are told apart by their columns:

- long: one trial a row, with columns for arm, seed and metric (a table of runs from W&B or MLflow is one);
- one seed a row, one arm a column: ``seed, baseline, lp_pool``; an export in which the columns are called
  ``baseline - accuracy`` is one too;
- one arm a row, one seed a column: ``arm, seed_0, seed_1, ...``.

``nan`` or ``inf`` in a metric's cell means that the trial diverged; an empty cell means that there is no trial. Where
semicolons or tabs separate the cells, a metric may have decimal commas.
A row whose state is neither finished nor failed, a run that still goes on, is left out with a note.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from paribus.analysis.numerals import Numerals, advice, whole
from paribus.analysis.scores import ArmScores
from paribus.errors import DataError, suggest

ARM_COLUMNS = ("arm", "experiment", "variant", "method", "model", "group", "config", "name", "run_name", "run")
SEED_COLUMNS = ("seed", "random_seed", "rng_seed", "trial", "fold", "repeat", "replicate")
NO_SEEDS = "none"
"""What stands for the name of the seeds' column where there is none: no score has a partner then."""
UNNAMED = "score"
"""What the metric is called where neither the table nor the caller gives it a name."""
STATE_COLUMNS = ("state", "status")
METRIC_COLUMNS = ("metric", "score", "value", "accuracy", "test_accuracy", "acc", "test_acc", "loss", "error")
SECONDS_COLUMNS = ("seconds", "runtime", "_runtime", "duration")
STEP_COLUMNS = ("step", "_step", "global_step", "trainer/global_step", "epoch", "iteration", "iter", "batch")
FAILED_STATES = {"failed", "crashed", "killed", "error"}
FINISHED_STATES = {"", "finished", "completed", "complete", "done", "success", "succeeded", "ok"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """The arms of a table of results, ready to be judged."""

    control: ArmScores
    arms: tuple[ArmScores, ...]
    metric: str
    notes: tuple[str, ...]
    """What the reader should know: columns that were guessed, seeds that are not shared, trials that diverged."""
    labelled: bool = False
    """Whether the metric has its name from the caller alone: nothing in the table says what its scores are."""


@dataclass(frozen=True)
class _Sheet:
    """The table as the file has it: the rows that are not blank, each with its line in the file."""

    source: Path
    separator: str
    header: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]

    @property
    def head(self) -> str:
        return f"{self.source}, line {self.header_line}"

    def column(self, name: str) -> list[str]:
        return [row[self.header.index(name)] for _, row in self.rows]

    def numerals(self, name: str) -> Numerals:
        return Numerals.of(self.column(name), separator=self.separator)


@dataclass(frozen=True)
class _Cell:
    line: int
    arm: str
    seed: str
    text: str
    state: str = ""
    seconds: str = ""
    step: str = ""


@dataclass(frozen=True)
class _Reading:
    """What a table was taken for: its cells, one a trial, and the metric."""

    cells: list[_Cell]
    metric: str
    notes: list[str]
    labelled: bool = False
    step_column: str | None = None


def read_table(
    path: str | Path,
    *,
    control: str,
    metric: str | None = None,
    arm: str | None = None,
    seed: str | None = None,
) -> Table:
    """Read the scores of arms and seeds from a CSV file (separated by comma, semicolon or tab).

    Args:
        control: name of the control arm in the table.
        metric: name of the metric's column; guessed where one column alone can be meant. A table that has a column an
            arm or a column a seed does not say what it measures; there it is the name that the metric gets.
        arm, seed: names of the columns of arm and seed; guessed from common names. ``none`` for a table without seeds.

    Raises:
        DataError: one line that names the file, the line in it where there is one, and what would be right.
    """
    source = Path(path)
    sheet = _sheet(source)
    reading = _reading(sheet, metric, arm, seed, control)
    notes = reading.notes + [
        f"{cell.arm!r}, seed {cell.seed}: left out, for its state is {cell.state!r} and not finished (line {cell.line})"
        for cell in reading.cells
        if cell.state not in FINISHED_STATES | FAILED_STATES
    ]
    numerals = Numerals.of((cell.text for cell in reading.cells), separator=sheet.separator)
    if numerals.comma:
        notes.append("its commas were read as decimal ones")
    arms = _arms(source, reading, numerals)
    if control not in arms:
        raise DataError(f"{source}: no arm is called {control!r}{suggest(control, arms)}")
    others = tuple(scores for name, scores in arms.items() if name != control)
    if not others:
        raise DataError(f"{source}: {control!r} is the only arm; there is nothing to compare it with")
    notes += _gaps(arms[control], others)
    return Table(
        control=arms[control], arms=others, metric=reading.metric, notes=tuple(notes), labelled=reading.labelled
    )


def _sheet(source: Path) -> _Sheet:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{source}: not a text file in UTF-8; save the table as CSV") from None
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror or error})") from None
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise DataError(f"{source}, line {reader.line_num}: not CSV ({error})") from None
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise DataError(f"{source}: not a table; a header and rows with columns arm, seed and a metric are wanted")
    header = rows[0][1]
    repeated = [name for name in header if name and header.count(name) > 1]
    if repeated:
        raise DataError(f"{source}, line {rows[0][0]}: two columns are called {repeated[0]!r}")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise DataError(f"{source}, line {line}: {len(row)} cells, but the header has {len(header)}")
    return _Sheet(source, delimiter, header, rows[0][0], rows[1:])


def _reading(sheet: _Sheet, metric: str | None, arm: str | None, seed: str | None, control: str) -> _Reading:
    """Return one cell a trial, whichever form the table has."""
    header, rows = sheet.header, sheet.rows
    seedless = seed == NO_SEEDS and NO_SEEDS not in header
    for wanted in (arm, None if seedless else seed):
        if wanted is not None and wanted not in header:
            raise DataError(f"{sheet.head}: no column is called {wanted!r}{suggest(wanted, header)}")
    at = {name: index for index, name in enumerate(header)}
    arm_column = arm or _known(header, ARM_COLUMNS)
    seed_column = None if seedless else seed or _known(header, SEED_COLUMNS)
    if not (seedless or arm_column or seed_column) and re.fullmatch(r"|unnamed: 0", header[0].lower()):
        indexed = dataclasses.replace(sheet, header=["seed", *header[1:]])  # pandas' index
        return _reading(indexed, metric, arm, seed, control)
    notes = [
        f"column {column!r} was taken as the {what}"
        for what, column, given in (("arm", arm_column, arm), ("seed", seed_column, seed))
        if column and not given and column.lower() != what
    ]

    seed_columns = {
        name: match[1] for name in header if (match := re.fullmatch(r"(?:seed[ _=-]?)?(\d+)", name.lower()))
    }
    if arm_column and not seed_column and seed_columns:
        cells = [
            _Cell(line, row[at[arm_column]], number, row[at[name]])
            for line, row in rows
            for name, number in seed_columns.items()
        ]
        return _Reading(cells, metric or UNNAMED, notes, labelled=metric is not None)

    if seed_column and not arm_column:
        arm_columns, shown = _arm_columns(sheet, seed_column, metric, control)
        cells = [
            _Cell(line, name, row[at[seed_column]], row[at[column]])
            for line, row in rows
            for column, name in arm_columns.items()
        ]
        return _Reading(cells, shown or metric or UNNAMED, notes, labelled=metric is not None and not shown)

    step_column = _known(header, STEP_COLUMNS)
    if not arm_column or not (seed_column or seedless):
        _refuse_columns(sheet, arm_column, step_column)
    state, seconds = _known(header, STATE_COLUMNS), _known(header, SECONDS_COLUMNS)
    column = _metric_column(sheet, metric, {arm_column, seed_column, state, seconds, step_column})
    if metric is None:
        notes.append(f"column {column!r} was taken as the metric")
    cells = [
        _Cell(
            line,
            row[at[arm_column]],
            row[at[seed_column]] if seed_column else str(line),  # no two arms share a line
            row[at[column]],
            row[at[state]].lower() if state else "",
            row[at[seconds]] if seconds else "",
            row[at[step_column]] if step_column else "",
        )
        for line, row in rows
    ]
    return _Reading(cells, column, notes, step_column=step_column)


def _refuse_columns(sheet: _Sheet, arm_column: str | None, step_column: str | None) -> NoReturn:
    """Raise for a table whose column of arms or of seeds is not found."""
    if step_column and not arm_column and any(" - " in name for name in sheet.header):
        raise DataError(
            f"{sheet.head}: these are curves over {step_column!r}, a column a run, without seeds; export the final "
            f"value of each run instead: a row a run, with columns for arm, seed and metric"
        )
    what = "arm" if not arm_column else "seed"
    hint = " (a table of steps has none: export the final value of each run)" if step_column else ""
    instead = f", or --seed-column {NO_SEEDS} to judge unpaired" if arm_column else ""
    raise DataError(
        f"{sheet.head}: which column is the {what}?{hint} name it with --{what}-column{instead}; "
        f"there is: {', '.join(filter(None, sheet.header))}"
    )


def _known(header: list[str], names: Iterable[str]) -> str | None:
    lowered = {_plain(column): column for column in reversed(header)}
    lowered |= {column.lower().replace(" ", "_"): column for column in reversed(header)}
    return next((lowered[name] for name in names if name in lowered), None)


def _plain(column: str) -> str:
    """Return the name of *column* without what W&B (``config.seed``) and MLflow (``params.seed``) put before it."""
    return re.sub(r"^(config|params|summary|metrics)[./]", "", column.lower()).replace(" ", "_")


def _metric_column(sheet: _Sheet, metric: str | None, taken: set[str | None]) -> str:
    """Return the metric's column: the only one of numbers, or the only one with a usual name.

    A few cells that are no numbers do not hide a column: they are named when they are read.
    """
    free = [name for name in sheet.header if name and name not in taken]
    numeric = [name for name in free if sheet.numerals(name).mostly(sheet.column(name))]
    if metric is not None:
        if metric not in sheet.header:
            raise DataError(f"{sheet.head}: no metric column is called {metric!r}{suggest(metric, numeric or free)}")
        return metric
    known = [name for name in numeric if _plain(name) in METRIC_COLUMNS]
    candidates = numeric if len(numeric) == 1 else known
    if len(candidates) != 1:
        there = f"there is: {', '.join(numeric)}" if numeric else f"none holds numbers: {', '.join(free) or 'no other'}"
        raise DataError(f"{sheet.head}: which column is the metric? name it with --metric; {there}")
    return candidates[0]


def _arm_columns(sheet: _Sheet, seed_column: str, metric: str | None, control: str) -> tuple[dict[str, str], str]:
    """Return column -> arm of a table with one arm a column, and the metric that its columns name, if they do."""
    whole_names = " - " in control and control in sheet.header
    named = {
        column: (name, shown)
        for column in sheet.header
        if column != seed_column and not column.endswith(("__MIN", "__MAX"))
        for name, dash, shown in [column.rpartition(" - ")]
        if dash and not whole_names
    }
    metrics = list(dict.fromkeys(shown for _, shown in named.values()))
    if metric is None and len(metrics) > 1:
        raise DataError(f"{sheet.head}: which metric? name it with --metric; there is: {', '.join(metrics)}")
    columns, shown = {}, ""
    for column in sheet.header:
        if column == seed_column or column.endswith(("__MIN", "__MAX")):
            continue
        if column not in named:
            columns[column] = column
        elif metric is None or named[column][1] == metric:
            columns[column], shown = named[column]
    if control not in columns.values():
        wrong = metric is not None and control in {name for name, _ in named.values()}
        raise DataError(
            f"{sheet.head}: no metric is called {metric!r}{suggest(metric or '', metrics)}"
            if wrong
            else f"{sheet.source}: no column holds the arm, and none is called {control!r}"
            f"{suggest(control, columns.values())}"
        )
    if metric in columns and not shown:
        raise DataError(
            f"{sheet.head}: the column {metric!r} is an arm, for the table has a column an arm; "
            f"--metric gives what all of them measure its name"
        )
    return columns, shown


def _arms(source: Path, reading: _Reading, numerals: Numerals) -> dict[str, ArmScores]:
    scores: dict[str, dict[int, float]] = {}
    diverged: dict[str, list[int]] = {}
    failed: dict[str, list[int]] = {}
    seconds: dict[str, list[float]] = {}
    seen: dict[tuple[str, int], _Cell] = {}
    for cell in reading.cells:
        where = f"{source}, line {cell.line}"
        if not cell.arm:
            raise DataError(f"{where}: the arm has no name")
        scores.setdefault(cell.arm, {})
        if cell.state not in FAILED_STATES and not (cell.text and cell.state in FINISHED_STATES):
            continue
        number = whole(cell.seed)
        if number is None:
            raise DataError(f"{where}: the seed of arm {cell.arm!r} is {cell.seed!r}, not a whole number")
        first = seen.setdefault((cell.arm, number), cell)
        if first is not cell:
            steps = reading.step_column if first.step != cell.step else None
            right = f"they differ in {steps!r}: keep the last row of each seed" if steps else "keep one row of them"
            raise DataError(f"{where}: arm {cell.arm!r} has seed {number} already, on line {first.line}; {right}")
        value = numerals.number(cell.text)
        if cell.state in FAILED_STATES:
            failed.setdefault(cell.arm, []).append(number)
        elif value is None:
            raise DataError(
                f"{where}: the metric of arm {cell.arm!r}, seed {number} is {cell.text!r}, not a number"
                f"{advice(cell.text)}"
            )
        elif not math.isfinite(value):
            diverged.setdefault(cell.arm, []).append(number)
        else:
            scores[cell.arm][number] = value
            cost = numerals.number(cell.seconds)
            if cost is not None and math.isfinite(cost):
                seconds.setdefault(cell.arm, []).append(cost)
    return {
        name: ArmScores(
            name=name,
            scores=found,
            diverged=tuple(diverged.get(name, ())),
            failed=tuple(failed.get(name, ())),
            seconds=sum(costs) / len(costs) if (costs := seconds.get(name)) else None,
        )
        for name, found in scores.items()
    }


def _gaps(control: ArmScores, arms: tuple[ArmScores, ...]) -> list[str]:
    """Say which arms do not share all seeds with the control, and which trials diverged."""
    notes = []
    for arm in arms:
        shared = control.scores.keys() & arm.scores.keys()
        alone = sorted((control.scores.keys() | arm.scores.keys()) - shared)
        if not control.seeds & arm.seeds:
            notes.append(f"{arm.name!r} shares no seeds with {control.name!r}: judged unpaired, by Welch's t")
        elif alone:
            listed = ", ".join(map(str, alone[:8])) + (", ..." if len(alone) > 8 else "")
            notes.append(f"{arm.name!r} is paired with {control.name!r} on {len(shared)} seeds; left out: {listed}")
    notes += [
        f"{arm.name!r} diverged on {len(arm.diverged)} of {len(arm.scores) + len(arm.diverged)} seeds"
        for arm in (control, *arms)
        if arm.diverged
    ]
    return notes
