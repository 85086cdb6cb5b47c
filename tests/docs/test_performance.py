"""The page on performance shows the committed results, and they hold what it says."""

from __future__ import annotations

import pytest
from benchmarks import core


def test_the_page_shows_the_results() -> None:
    page = core.PAGE.read_text()

    assert page.partition(core.MARKER)[2].strip() == core.table()


@pytest.mark.parametrize("figure", core.load()[1], ids=lambda figure: figure.name)
def test_a_figure_holds_its_bar(figure: core.Figure) -> None:
    assert figure.holds
