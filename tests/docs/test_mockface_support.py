"""The tables of operations in the docs are the code's own."""

from __future__ import annotations

from documents import ROOT, after_marker
from mockface.operations import NAMES, OPERATIONS
from support_matrix import matrix, paths

PAGE = ROOT / "docs/mockface/support.md"


def test_the_operations_are_the_operations() -> None:
    assert after_marker(PAGE, "the operations: a test compares them") == matrix()


def test_the_paths_are_the_paths() -> None:
    assert after_marker(PAGE, "the paths: a test compares them") == paths()


def test_the_matrix_says_what_a_version_lacks() -> None:
    rows = {line.split(" | ")[1]: line.split(" | ")[2:] for line in matrix().splitlines()}

    assert rows["`settings`"] == ["404", "404", "404", "200 |"]
    assert rows["`audit`"] == ["200", "200", "404", "404 |"]
    assert rows["`delete`"] == ["200", "200", "204", "204 |"]
    assert rows["`create-with-verify`"] == [
        *["JSON or form → 200"] * 2,
        "form → 200",
        "form → 200 |",
    ]
    assert len(rows) == 2 + len(NAMES)


def test_every_path_of_every_version_is_there_once() -> None:
    lines = paths().splitlines()
    for each in OPERATIONS:
        found = [
            line
            for line in lines
            if f"`{each.method} {each.path}`" in line
            and (f"`{each.version}`" in line or line.endswith("| all |"))
        ]
        assert len(found) == 1
