"""The verdicts in a terminal: what was asked, what came out, and what to make of it. Whole at 80 columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from paribus.analysis import Verdict
from paribus.report.material import Material
from paribus.report.unit import Unit, beside, counted, duration, probability, unit_of
from paribus.report.wording import MARKS, UNDESCRIBED, answer, labels, price, scope, sentence, standard, warnings

WIDE = 100
"""From this many columns on an interval stands beside its difference; below, under it."""

FEW = 4
"""Up to this many arms each has its sentence."""

AGREEMENT = (
    "W is 1 where all judges rank alike and 0 where their ranks cancel out; in brackets what resamples of {seeds} "
    "have, which is too narrow at few."
)


@dataclass(frozen=True)
class VerdictTable:
    """The verdicts of a study as rich prints them; fits itself to the width it is given."""

    material: Material

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        material, unit = self.material, unit_of(self.material)
        yield Text(material.study.question, style="bold")
        yield from _head(material, unit)
        yield Text()
        yield self._table(unit, options.max_width)
        yield Text()
        if material.study.beside:
            yield _beside(material)
            yield Text()
        if material.agreement:
            yield _agreement(material)
            yield _bullet("  ", AGREEMENT.format(seeds=counted(len(material.agreement[0].seeds), "seed")), style="dim")
            yield Text()
        yield from _findings(material)
        yield from warning_lines(material, of_arms=len(material.verdicts) > FEW)
        if said := scope(material):
            yield _bullet("  ", said, style="dim")

    def _table(self, unit: Unit, width: int) -> Table:
        wide = width >= WIDE
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
        table.add_column("arm", overflow="fold", min_width=12)
        table.add_column("n", justify="right", no_wrap=True)
        table.add_column(Text(f"mean ± sd{f', {unit.symbol}' if unit.symbol else ''}"), justify="right", no_wrap=True)
        step = f", {unit.step}" if unit.step else ""
        level = f"{100 * (1 - self.material.study.alpha):g} %"
        heading = f"difference [{level}]{step}" if wide else f"difference{step}"
        table.add_column(Text(heading), justify="right", no_wrap=True)
        table.add_column("p adj.", justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        control = self.material.control
        values = list(control.scores.scores.values())
        table.add_row(Text(control.label), str(len(values)), unit.mean(values), Text("control", "dim"), "", "")
        for arm, verdict in zip(self.material.arms, self.material.verdicts, strict=True):
            table.add_row(*_row(arm.label, verdict, unit, wide))
        chosen = self.material.chosen.verdict if self.material.chosen is not None else None
        if chosen is not None:
            table.add_section()
            label = labels(self.material).get(chosen.name, chosen.name)
            table.add_row(*_row(f"chosen: {label}", chosen, unit, wide))
        return table


def verdict_table(material: Material) -> VerdictTable:
    """Return the study's verdicts for a terminal, with the question above and the warnings below."""
    return VerdictTable(material)


def warning_lines(material: Material, *, of_arms: bool = True) -> list[Table]:
    """Return the warnings for a terminal, each hanging from its mark."""
    return [_bullet("! ", warning, "bold yellow") for warning in warnings(material, of_arms=of_arms)]


def word(verdict: Verdict) -> Text:
    """Return a verdict's symbol and word in its colour, and a dagger where it is confounded."""
    mark = MARKS[verdict.verdict]
    return Text(f"{mark.symbol} {verdict.verdict}{' †' if verdict.confounded else ''}", style=mark.style)


def _row(label: str, verdict: Verdict, unit: Unit, wide: bool) -> tuple[Text | str, ...]:
    difference, interval = unit.estimate(verdict.difference, verdict.low, verdict.high)
    if math.isfinite(verdict.low):
        difference += f"{' ' if wide else chr(10)}{interval}"
    return (
        Text(label),
        str(verdict.n),
        unit.spread(verdict.mean, verdict.sd),
        Text(difference),
        probability(verdict.adjusted_p),
        word(verdict),
    )


def _head(material: Material, unit: Unit) -> RenderResult:
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("control", Text(material.study.control))
    if material.base and (material.base != material.study.control or material.base_reason):
        facts.add_row("base", Text(f"{material.base}{f' ({material.base_reason})' if material.base_reason else ''}"))
    facts.add_row("data", Text(material.data or UNDESCRIBED))
    facts.add_row("decides", Text(standard(material, unit)))
    control = material.control.scores
    tried = len(control.scores) + len(control.diverged) + len(control.failed)
    spent = f"{counted(tried, 'seed')}; {duration(material.seconds)} of trials"
    facts.add_row("spent", Text(spent))
    yield facts


def _findings(material: Material) -> list[Table]:
    """One sentence an arm where there are few; the answer as a whole and the price of the open ones where many."""
    known = labels(material)
    lines = []
    if len(material.verdicts) > FEW:
        lines = [_bullet("  ", text) for text in (answer(material), price(material)) if text]
    else:
        for verdict in material.verdicts:
            mark = MARKS[verdict.verdict]
            lines.append(
                _bullet(f"{mark.symbol} ", sentence(known.get(verdict.name, verdict.name), verdict), mark.style)
            )
    if material.chosen is not None:
        lines.append(_bullet("  ", f"Chosen: {material.chosen.how.rstrip('.')}."))
        if (chosen := material.chosen.verdict) is not None:
            mark = MARKS[chosen.verdict]
            lines.append(_bullet(f"{mark.symbol} ", sentence(known.get(chosen.name, chosen.name), chosen), mark.style))
    return lines


def _beside(material: Material) -> Table:
    """The metrics beside the one that decides, their means over each arm's seeds."""
    columns = beside(material)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("means, not judged", overflow="fold", min_width=12)
    for unit, _ in columns:
        table.add_column(Text(unit.title), justify="right", overflow="fold")
    for place, arm in enumerate((material.control, *material.arms)):
        table.add_row(Text(arm.label), *(unit.brief(own[place]) for unit, own in columns))
    return table


def _agreement(material: Material) -> Table:
    """How alike judges rank control and arms, by measure."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("judges of", overflow="fold", min_width=12)
    table.add_column(Text("agree by W"), no_wrap=True)
    table.add_column("p adj.", justify="right", no_wrap=True)
    table.add_column("best to worst", overflow="fold")
    for one in material.agreement:
        by = f"{one.w:.2f} [{one.low:.2f}, {one.high:.2f}]"
        table.add_row(Text(one.measure), Text(by), probability(one.adjusted_p), Text(", ".join(one.order)))
    return table


def _bullet(symbol: str, text: str, mark: str = "", style: str = "") -> Table:
    """Return *text* hanging from *symbol*, so that wrapped lines stay aligned."""
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(symbol, mark), Text(text, style))
    return grid
