"""The page on the command line is what the command says of itself.

To make it anew: `python -c 'import re

import command_line as c; print(c.page(), end="")'`, with
`tests/support` on the path.
"""

from __future__ import annotations

import re

import command_line
from documents import ROOT

PAGE = ROOT / "docs/mockface/cli.md"
OPTION = re.compile(r"(?ms)^  (?:-h, )?(--[a-z-]+)(.*?)(?=^  \S|^\w|^```)")


def words(text: str) -> list[str]:
    """Python's versions break lines at other places."""
    return text.split()


def test_the_page_is_what_the_help_says() -> None:
    assert words(PAGE.read_text()) == words(command_line.page())


def test_every_action_is_on_it() -> None:
    page = PAGE.read_text()
    for usage in (
        "clock freeze",
        "fault add",
        "fault tier",
        "journal wait",
        "scenario pin",
    ):
        assert f"usage: mockface {usage} " in page


def test_the_environment_gives_every_option() -> None:
    options = OPTION.findall(PAGE.read_text())
    assert len(options) > 100
    without = {flag for flag, text in options if "[MOCKFACE_" not in text}
    assert without == {"--help", "--version", "--loose"}  # the latter is MOCKFACE_STRICT=no
