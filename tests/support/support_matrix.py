"""What each version of the Face API has in mockface, as the tables of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.operations import OPERATIONS, VERSIONS

if TYPE_CHECKING:
    from mockface.operations import Operation


def matrix() -> str:
    """The support matrix in Markdown: a row for each operation, a column for each version."""
    rows: dict[str, dict[str, Operation]] = {}
    for each in OPERATIONS:
        rows.setdefault(each.name, {})[each.version] = each
    lines = [
        _line("operation", "route", *(f"`{version}`" for version in VERSIONS)),
        _line("---", "---", *("---" for _ in VERSIONS)),
    ]
    for name, served in rows.items():
        operation = next(iter(served.values())).id
        cells = [_cell(served[v]) if v in served else "404" for v in VERSIONS]
        lines.append(_line(operation, f"`{name}`", *cells))
    return "\n".join(lines)


def paths() -> str:
    """The paths in Markdown: a row for each route and each path that it has in some version."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for each in OPERATIONS:
        found.setdefault((each.name, each.method, each.path), []).append(each.version)
    order = list(dict.fromkeys(name for name, _, _ in found))
    lines = [_line("route", "call", "versions"), _line("---", "---", "---")]
    for (name, method, path), versions in sorted(found.items(), key=lambda r: order.index(r[0][0])):
        said = "all" if len(versions) == len(VERSIONS) else ", ".join(f"`{v}`" for v in versions)
        lines.append(_line(f"`{name}`", f"`{method} {path}`", said))
    return "\n".join(lines)


def _cell(each: Operation) -> str:
    """What it takes, and with which status it answers."""
    takes = [
        word
        for word, body in (("JSON", each.json), ("form", each.form), ("file", each.file))
        if body
    ]
    gives = f"{each.status}" if each.also is None else f"{each.status} or {each.also}"
    return f"{' or '.join(takes)} → {gives}" if takes else gives


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
