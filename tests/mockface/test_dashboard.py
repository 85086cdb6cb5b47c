"""The page for people."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import Face

import needs

if TYPE_CHECKING:
    from pathlib import Path

    from mockface.service import Service


@pytest.fixture
def hand(service: Service) -> Face:
    return Face(service, "v1.2", key=None)


@pytest.fixture
def html(hand: Face) -> str:
    answer = hand.send("GET", "/_mock/ui")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["x-mockface"] == "emulator"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.response.body.decode()


def test_it_loads_nothing_and_shows_what_callers_sent_as_text(html: str) -> None:
    assert "://" not in html
    assert not re.search(r"\b(src|href)=", html)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", html)


def test_it_calls_only_what_there_is(html: str, hand: Face) -> None:
    known = hand.send("GET", "/_mock").json["control"]
    calls = re.findall(r'call\("([A-Z]+)", "([^"?]*)', html)
    assert len(calls) > 8
    for method, place in calls:
        path = f"/_mock/{place}{'{}' if place.endswith('/') else ''}".rstrip("/")
        assert f"{method} {path}" in known


def test_its_buttons_move_the_clock(html: str, hand: Face) -> None:
    told = re.findall(r"data-clock='([^']+)'", html)
    assert len(told) == 5
    for each in told:
        assert hand.post_json("/_mock/clock", json.loads(each)).status == 200


@pytest.mark.process
def test_its_script_is_sound(html: str, tmp_path: Path) -> None:
    needs.programs("node")
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)
    assert script is not None
    (tmp_path / "page.js").write_text(script[1])
    subprocess.run(["node", "--check", "page.js"], cwd=tmp_path, check=True)
