"""The steps as rows of a table, each printed when it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

if TYPE_CHECKING:
    from livegate_demo.walk import Step, Walk

STYLES: Final = {"passed": "green", "rejected": "red"}
WIDTH: Final = 120
"""Columns where no terminal has a width."""
WIDE: Final = 100
"""Columns from which on a step fits in one line."""
COLUMNS: Final = (("", 2), ("who → whom", 27), ("what", 26), ("on the wire", None))


class TablePrinter:
    """Prints a table for each session, and under it the verdict."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal:
            self._console = Console(width=WIDTH, highlight=False)

    def begin(self, walk: Walk) -> None:
        """Print the title and the headings."""
        self._console.print(f"[bold]A session for: {walk.title}[/]")
        self._row(*(f"[dim]{heading}[/]" for heading, _ in COLUMNS))

    def step(self, walk: Walk, step: Step) -> None:  # noqa: ARG002 - the table has the title
        """Print a row."""
        who = f"{step.source} → {step.target}"
        self._row(str(step.number), who, step.what, escape(step.wire))

    def end(self, walk: Walk) -> None:
        """Print the verdict."""
        state = str(walk.result.get("state"))
        reasons = ", ".join(walk.result.get("reasons") or ())
        style = STYLES.get(state, "yellow")
        because = f" ({escape(reasons)})" if reasons else ""
        self._console.print(f"  verdict: [bold {style}]{state}[/]{because}\n")

    def _row(self, *cells: str) -> None:
        wide = self._console.width >= WIDE
        shown = list(zip(COLUMNS, cells, strict=True))
        table = Table.grid(padding=(0, 2, 0, 0))
        for (_, width), _ in shown if wide else shown[:-1]:
            table.add_column(width=width)
        table.add_row(*(cell for _, cell in (shown if wide else shown[:-1])))
        self._console.print(table)
        if not wide:
            self._console.print(Padding(cells[-1], (0, 0, 0, 4)))
