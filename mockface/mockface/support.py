"""What each version has, as tables for people: made from those by which requests are routed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.dialects import DIALECTS

if TYPE_CHECKING:
    from mockface.dialects.routes import Route


def matrix() -> str:
    """The support matrix in Markdown: a row for each operation, a column for each version."""
    versions = [dialect.version for dialect in DIALECTS]
    rows: dict[str, dict[str, Route]] = {}
    for dialect in DIALECTS:
        for route in dialect.routes:
            rows.setdefault(route.name, {})[dialect.version] = route
    lines = [
        _line("operation", "route", *(f"`{version}`" for version in versions)),
        _line("---", "---", *("---" for _ in versions)),
    ]
    for name, routes in rows.items():
        operation = next(iter(routes.values())).operation
        cells = [_cell(routes[version]) if version in routes else "404" for version in versions]
        lines.append(_line(operation, f"`{name}`", *cells))
    return "\n".join(lines)


def paths() -> str:
    """The paths in Markdown: a row for each route and each path that it has in some version."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for dialect in DIALECTS:
        for route in dialect.routes:
            place = (route.name, route.method, route.path)
            found.setdefault(place, []).append(dialect.version)
    order = list(dict.fromkeys(name for name, _, _ in found))
    lines = [_line("route", "call", "versions"), _line("---", "---", "---")]
    for (name, method, path), versions in sorted(found.items(), key=lambda r: order.index(r[0][0])):
        said = "all" if len(versions) == len(DIALECTS) else ", ".join(f"`{v}`" for v in versions)
        lines.append(_line(f"`{name}`", f"`{method} {path}`", said))
    return "\n".join(lines)


def _cell(route: Route) -> str:
    """What it takes, and with which status it answers."""
    takes = [
        word
        for word, body in (("JSON", route.json), ("form", route.form), ("file", route.takes_file))
        if body
    ]
    gives = f"{route.status}" if route.also is None else f"{route.status} or {route.also}"
    return f"{' or '.join(takes)} → {gives}" if takes else gives


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
