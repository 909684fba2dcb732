"""The other things that the command line shows, from plain values to what rich prints."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from paribus.analysis import Verdict
from paribus.analysis.ablation import Contribution
from paribus.report.material import NoteLine
from paribus.report.table import word
from paribus.report.unit import Unit, counted, probability
from paribus.spec.difference import FieldDifference
from paribus.spec.finding import Finding
from paribus.spec.lab import Lab


def lab_table(labs: Iterable[Lab]) -> RenderableType:
    """Return the labs, each with its question and its studies."""
    table = _table("study", "question", "arms")
    for lab in labs:
        table.add_row(Text(lab.name, "bold"), Text(lab.question, "bold"), "")
        for study in lab.studies:
            table.add_row(Text(f"  {study.name}"), Text(study.question), str(len(study.arms)))
        if not lab.studies:
            table.add_row(Text("  no studies", "dim"), Text(f"paribus compare {lab.name}/base ...", "dim"), "")
        table.add_section()
    return table


@dataclass(frozen=True, kw_only=True)
class Node:
    """An experiment that has been run: one node of the tree of names.

    Args:
        segments: the name's parts: the lab, then the changes.
        n: completed trials.
        mean: mean of the lab's metric, NaN where there is none.
        metric: the metric's name.
        diverged: trials that diverged.
        effect: the comparison with the experiment that lacks the last change; ``None`` where that was not run.
    """

    segments: tuple[str, ...]
    n: int
    mean: float
    metric: str
    diverged: int = 0
    effect: Verdict | None = None


def name_tree(nodes: Sequence[Node]) -> RenderableType:
    """Return the tree of the names run so far; each edge shows its change's difference, without a verdict's word."""
    if not nodes:
        return Text("Nothing has been run yet: paribus run LAB.STUDY", "dim")
    known = {node.segments: node for node in nodes}
    every = {segments[:end] for segments in known for end in range(1, len(segments) + 1)}
    units = {
        metric: Unit.of(metric, [node.mean for node in nodes if node.metric == metric])
        for metric in {node.metric for node in nodes}
    }
    roots: list[Tree] = []
    branches: dict[tuple[str, ...], Tree] = {}
    for segments in sorted(every):
        node = known.get(segments)
        label = _node(segments, node, units)
        if len(segments) == 1:
            branches[segments] = Tree(label)
            roots.append(branches[segments])
        else:
            branches[segments] = branches[segments[:-1]].add(label)
    if all(node.effect is None for node in nodes):
        return Group(*roots)
    return Group(*roots, Text(EDGES, "dim"))


EDGES = "Each difference is one comparison at the seeds there are, not a study's verdict."


def _node(segments: tuple[str, ...], node: Node | None, units: Mapping[str, Unit]) -> RenderableType:
    name = Text(segments[-1], "bold" if len(segments) == 1 else "")
    if node is None:
        name.stylize("dim")
        return name
    unit, effect = units[node.metric], node.effect
    half_width = (effect.high - effect.low) / 2 if effect is not None else math.nan
    mean = f"{unit.level(node.mean, half_width)}{unit.symbol and ' ' + unit.symbol}"
    parts = [name, Text(f"{node.metric} {mean} (n = {node.n})", "dim")]
    if node.diverged:
        parts.append(Text(f"{node.diverged} diverged", "magenta"))
    if effect is not None:
        difference, interval = unit.estimate(effect.difference, effect.low, effect.high)
        shown = f"{difference} {interval}" if math.isfinite(effect.low) else difference
        parts.append(Text(f"{shown} (n = {effect.n})"))
    return _Parts(tuple(parts))


@dataclass(frozen=True)
class _Parts:
    """Texts beside each other that never break within one, but for one that has no line wide enough."""

    parts: tuple[Text, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for part in self.parts:
            if line and line.cell_len + 2 + part.cell_len > options.max_width:
                yield line
                line = Text("  ")
            elif line:
                line.append("  ")
            line.append_text(part)
        yield line


def field_table(config: Mapping[str, Any], documents: Mapping[str, str] | None = None) -> RenderableType:
    """Return a configuration as ``{dotted path: value}``, with a sentence a field where *documents* has one."""
    table = _table("field", "value", *(["what it is"] if documents else []))
    inner = {path.rpartition(".")[0] for path in config}
    for path, value in config.items():
        shown = Text(f"({value})", "dim") if path in inner else Text(repr(value), "cyan")  # of a group its class alone
        table.add_row(Text(path), shown, *([Text(documents.get(path, ""))] if documents else []))
    return table


def difference_table(differences: Sequence[FieldDifference]) -> RenderableType:
    """Return the minimal difference of two experiments' fields."""
    if not differences:
        return Text("They are the same experiment.")
    table = _table("field", "before", "after")
    for one in differences:
        table.add_row(Text(one.path), Text(repr(one.before), "red"), Text(repr(one.after), "green"))
    return table


def coloured(source_diff: str) -> list[Text]:
    """Return the lines of a unified diff in their colours."""
    return [Text(line, _STYLES.get(kind, "")) for kind, line in diff_lines(source_diff)]


_STYLES = {"file": "bold", "hunk": "cyan", "add": "green", "drop": "red"}


def diff_lines(source_diff: str) -> list[tuple[str, str]]:
    """Return ``(kind, line)`` for the lines of a unified diff: ``file``, ``hunk``, ``add``, ``drop`` or ``same``.

    A removed line that itself begins with two dashes looks like a file's heading; counting the lines that each hunk
    announces tells them apart.
    """
    lines: list[tuple[str, str]] = []
    old = new = 0
    for line in source_diff.splitlines():
        if old <= 0 and new <= 0 and line.startswith("@@"):
            old, new = (_extent(part) for part in line.split()[1:3])
            lines.append(("hunk", line))
        elif old <= 0 and new <= 0:
            lines.append(("file" if line.startswith(("--- ", "+++ ")) else "same", line))
        else:
            kind = {"+": "add", "-": "drop"}.get(line[:1], "same")
            old -= kind != "add"
            new -= kind != "drop"
            lines.append((kind, line))
    return lines


def _extent(part: str) -> int:
    return int(part.partition(",")[2] or 1)


def log_table(lines: Iterable[NoteLine]) -> RenderableType:
    """Return the work log, oldest line first."""
    table = _table("written", "by", "about", "what")
    for line in lines:
        written = line.written.strftime("%Y-%m-%d %H:%M")
        table.add_row(Text(written, "dim"), Text(line.author), Text(line.about), Text(line.text))
    return table


def log_lines(lines: Iterable[NoteLine]) -> list[str]:
    """Return the work log for a program that reads it: one line an entry, however long, under the same headings."""
    rows = [("written", "by", "about", "what")]
    for line in lines:
        written = line.written.strftime("%Y-%m-%d %H:%M")
        rows.append((written, line.author, line.about, " ".join(line.text.split())))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join((*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3])) for row in rows
    ]


def finding_table(findings: Iterable[Finding]) -> RenderableType:
    """Return a lab's diagnostics, with a symbol beside each level."""
    table = _table("", "checked", "seen", "what it means")
    for one in findings:
        symbol, style = _LEVELS[one.level]
        table.add_row(Text(symbol, style), Text(one.check), Text(one.value, style), Text(one.meaning))
    return table


_LEVELS = {"ok": ("✓", "green"), "note": ("i", "cyan"), "warning": ("!", "bold yellow")}


def ablation_table(name: str, metric: str, contributions: Sequence[Contribution]) -> RenderableType:
    """Return what each change of the experiment *name* contributes: the whole against the whole without it."""
    verdicts = [row.verdict for row in contributions]
    unit = Unit.of(metric, [level for v in verdicts for level in (v.control_mean, v.mean)])
    table = _table("change", "n", "without, with", f"contributes{f', {unit.step}' if unit.step else ''}", "p adj.", "")
    for row in contributions:
        v = row.verdict
        contributes = Text("\n".join(unit.estimate(v.difference, v.low, v.high)))
        half_width = (v.high - v.low) / 2
        levels = Text(f"{unit.level(v.control_mean, half_width)} → {unit.level(v.mean, half_width)}")
        table.add_row(Text(row.change), str(v.n), levels, contributes, probability(v.adjusted_p), word(v))
    head = Text.assemble("What each change of ", (name, "bold"), f" contributes to {unit.title}, on top of all others.")
    return Group(head, Text(), table, Text(), Text("“better” says that the change helps.", "dim"))


def fields_of(config: Any) -> dict[str, str]:
    """Return the sentence of each documented field of a dataclass: its metadata's ``doc``."""
    return {field.name: str(field.metadata["doc"]) for field in dataclasses.fields(config) if "doc" in field.metadata}


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for column in columns:
        number = column in ("n", "arms", "trials")
        table.add_column(Text(column), overflow="fold", justify="right" if number else "left", no_wrap=number)
    return table


def found(findings: Sequence[Finding]) -> str:
    """Return how many findings are warnings, for a last line."""
    serious = sum(one.level == "warning" for one in findings)
    return (
        f"{counted(len(findings), 'check')}, {counted(serious, 'warning')}."
        if serious
        else f"{counted(len(findings), 'check')}, all well."
    )
