"""The fenced code blocks of a Markdown document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Block:
    path: str
    line: int
    language: str
    content: str

    @property
    def is_test(self) -> bool:
        """Whether it is a module of tests."""
        return self.language == "python" and bool(
            re.search("^def test_", self.content, re.MULTILINE)
        )

    @property
    def runs_pytest(self) -> bool:
        """Whether it is a command that runs tests."""
        return self.language == "console" and bool(
            re.match(r"\$ (\w+=\S+ )*pytest\b", self.content)
        )

    @property
    def of_a_terminal(self) -> bool:
        """Whether its page is one terminal, whose commands run one after another."""
        return "<!-- one terminal -->" in (ROOT / self.path).read_text()

    @property
    def of_a_shell(self) -> bool:
        """Whether the commands of its page run in a shell, beside the files of the page."""
        return self.language == "console" and not (
            self.runs_pytest or self.asks_emulator or self.of_a_terminal
        )

    @property
    def file_name(self) -> str | None:
        """The name in the first line of a file that the page shows, as in `# app.py`."""
        found = re.match(r"# ([\w.]+\.py)\n", self.content)
        return found[1] if found and self.language == "python" else None

    @property
    def asks_emulator(self) -> bool:
        """Whether it is commands for an emulator that runs already."""
        return (
            self.language == "console"
            and re.match(r"\$ mockface (?!serve\b)", self.content) is not None
            and self.path.startswith("docs/mockface/")
            and not self.of_a_terminal
        )

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def blocks(path: Path) -> list[Block]:
    return [
        Block(
            str(path.relative_to(ROOT)),
            (token.map or [0])[0] + 1,
            token.info.strip(),
            token.content,
        )
        for token in MarkdownIt().parse(path.read_text())
        if token.type == "fence"
    ]


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "tests/README.md"])


def after_marker(path: Path, marker: str) -> str:
    """The paragraph, table or block that follows a comment like ``<!-- marker -->``."""
    _, _, rest = path.read_text().partition(f"<!-- {marker} -->\n")
    assert rest, f"{path} has no marker {marker}"
    return rest.partition("\n\n")[0].rstrip()
