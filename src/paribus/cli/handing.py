"""What a command hands over: the verdicts on standard output, the page and the JSON in files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from paribus.cli.terminal import one_line, out, say
from paribus.report.export import to_json
from paribus.report.material import Material
from paribus.report.table import verdict_table
from paribus.whole import write_whole

STANDARD_OUTPUT = "-"


def hand_over(
    material: Material, page: Path | None, json_file: str | None, *, shown: RenderableType | None = None
) -> None:
    """Print the verdicts, and write the *page* and the JSON; JSON on standard output stands there alone.

    *shown* takes the place of the verdict table where a command has a better one.
    """
    if json_file == STANDARD_OUTPUT:
        sys.stdout.write(_json(material))
    else:
        out().print(shown if shown is not None else verdict_table(material))
        if json_file is not None:
            write_whole(Path(json_file).expanduser(), _json(material).encode())
    for gap in material.gaps:
        say(f"note: {one_line(gap)}; the report goes on without")
    if page is not None:
        from paribus.report.page import write_page

        write_page(material, page)
        if json_file == STANDARD_OUTPUT:
            say(f"Report: {page}")
        else:
            out().print(Text(f"Report: {page}"), soft_wrap=True)


def _json(material: Material) -> str:
    return json.dumps(to_json(material), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
