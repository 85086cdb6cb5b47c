"""Every code block of the README and the docs is executed, or checked as its language allows.

Blocks that are tests, or run tests, are in `test_suites`; commands in `test_shells`, and those of
mockface's pages in `test_terminals` and `test_emulator_blocks`.
"""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import needs
from documents import ROOT, Block, blocks, documents
from mockface import Mockface, SimulatedClient
from mockface.images import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

README = ROOT / "README.md"
ALL = [block for path in documents() for block in blocks(path)]
CHECKED = {"python", "console", "text", "mermaid", "json", "javascript", "ini", "toml"}
BIN = Path(sys.executable).parent
KEY = "docs-key"


@pytest.fixture
def face(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mockface]:
    """The emulator; the environment names it as the Face resource, and a store."""
    with Mockface(keys=[KEY], seed="docs") as mock:
        monkeypatch.setenv("VISION_ENDPOINT", f"{mock.url}/")
        monkeypatch.setenv("VISION_KEY", KEY)
        monkeypatch.setenv("LIVEGATE_STORE", "memory://")
        monkeypatch.chdir(tmp_path)
        yield mock


def code(start: str) -> str:
    """The README's Python block that holds *start*."""
    found = [block.content for block in blocks(README) if start in block.content]
    assert len(found) == 1, start
    return found[0]


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {block.language for block in ALL} <= CHECKED
    assert len(ALL) > 50


PYTHON = [b for b in ALL if b.language == "python" and not b.is_test and "TestMy" not in b.content]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_runs(block: Block, face: Mockface) -> None:
    source = compile(block.content, str(block), "exec", dont_inherit=True)
    exec(source, {"__name__": "docs"})


TOML = [block for block in ALL if block.language == "toml"]


@pytest.mark.parametrize("block", TOML, ids=str)
def test_toml_is_toml(block: Block) -> None:
    assert tomllib.loads(block.content)


INI = [block for block in ALL if block.language == "ini"]


@pytest.mark.parametrize("block", INI, ids=str)
def test_configuration_files_can_be_parsed(block: Block) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(block.content)

    if "Service" in parser:
        assert parser["Service"]["ExecStart"].endswith("/bin/livegate worker")
    else:
        assert parser["uwsgi"].getboolean("enable-threads")


# --- the README's examples do what it says ------------------------------------------------------


class Bank:
    """The README's application, in the browser of a user, with a person before the camera."""

    def __init__(self, face: Mockface) -> None:
        Path("alice.jpg").write_bytes(portrait("alice"))
        names: dict[str, Any] = {"__name__": "readme"}
        exec(code("app = flask.Flask"), names)
        self.app = names["app"]
        self.face = face
        self.browser = self.app.test_client()
        self.sign_in("alice")

    def sign_in(self, user: str) -> None:
        with self.browser.session_transaction() as session:
            session["user"] = user

    def start(self, payout: str = "7") -> dict[str, str]:
        response = self.browser.post(
            "/liveness/sessions", json={"purpose": "payout", "transaction": payout}
        )
        assert response.status_code == 201, response.data
        started: dict[str, str] = response.json
        return started

    def session(self, payout: str = "7", scenario: str = "real", report: Any = None) -> str:
        """The id of a session that was finished; *report* in place of the right one."""
        started = self.start(payout)
        digest = SimulatedClient(scenario=scenario).start(started["authToken"]).digest
        url = f"/liveness/sessions/{started['sessionId']}/finish"
        response = self.browser.post(url, json={"digest": digest} if report is None else report)
        assert response.status_code == 200, response.data
        return started["sessionId"]

    def pay(self, session: str, payout: str = "7") -> TestResponse:
        response: TestResponse = self.browser.post(f"/payouts/{payout}", data={"session": session})
        return response

    def refuses(self, session: str, status: int, code: str, payout: str = "7") -> bool:
        response = self.pay(session, payout)
        assert response.json is not None
        return (response.status_code, response.json["code"]) == (status, code)


@pytest.fixture
def bank(face: Mockface) -> Iterator[Bank]:
    bank = Bank(face)
    yield bank
    bank.app.extensions["livegate"].close()


def test_the_readme_pays_the_enrolled_customer_once(bank: Bank) -> None:
    session = bank.session()

    assert bank.pay(session).json == {"paid": "7"}
    assert bank.refuses(session, 409, "verdict_used")


def test_the_readme_takes_no_image_from_the_front_end(bank: Bank) -> None:
    import io

    response = bank.browser.post(
        "/liveness/sessions",
        data={
            "purpose": "payout",
            "transaction": "7",
            "referenceImage": (io.BytesIO(portrait("mallory")), "me.jpg"),
        },
    )

    assert response.status_code == 422
    assert response.json["code"] == "reference_image_not_accepted"


@pytest.mark.parametrize("purpose", ["default", "Payout", "payout ", "sign-in"])
def test_the_readme_has_no_other_purpose(bank: Bank, purpose: str) -> None:
    response = bank.browser.post("/liveness/sessions", json={"purpose": purpose})

    assert (response.status_code, response.json["code"]) == (422, "unknown_purpose")


@pytest.mark.parametrize("scenario", ["wrong-person", "spoof", "uncertain"])
def test_the_readme_does_not_pay_for_another_face(bank: Bank, scenario: str) -> None:
    assert bank.refuses(bank.session(scenario=scenario), 403, "verdict_not_passed")


@pytest.mark.parametrize("report", [{}, {"digest": "AB12"}, {"clientError": "TimedOut"}])
def test_the_readme_does_not_pay_without_the_right_digest(bank: Bank, report: Any) -> None:
    assert bank.refuses(bank.session(report=report), 403, "verdict_not_passed")


def test_the_readme_does_not_pay_another_payout(bank: Bank) -> None:
    assert bank.refuses(bank.session(payout="8"), 403, "purpose_mismatch", payout="7")


def test_the_readme_does_not_pay_after_ten_minutes(bank: Bank) -> None:
    session = bank.session()
    runtime = bank.app.extensions["livegate"].runtime
    later = runtime.now() + timedelta(minutes=10)
    object.__setattr__(runtime, "clock", lambda: later)  # the README's code takes no clock

    assert bank.refuses(session, 403, "verdict_expired")


def test_the_readme_does_not_pay_without_a_user(bank: Bank) -> None:
    session = bank.session()
    bank.browser.delete_cookie("session")

    assert bank.refuses(session, 401, "subject_required")


def test_the_readme_does_not_pay_before_the_end(bank: Bank) -> None:
    assert bank.refuses(bank.start()["sessionId"], 403, "verdict_not_passed")


def test_the_readme_does_not_pay_for_another_user(bank: Bank) -> None:
    session = bank.session()
    bank.sign_in("mallory")

    assert bank.refuses(session, 404, "session_not_found")


def test_the_readme_starts_nothing_for_a_user_without_a_portrait(bank: Bank) -> None:
    bank.sign_in("mallory")

    response = bank.browser.post(
        "/liveness/sessions", json={"purpose": "payout", "transaction": "7"}
    )

    assert (response.status_code, response.json["code"]) == (422, "reference_image_required")


def test_the_readme_without_a_framework(face: Mockface) -> None:
    source = code("run_front_end").replace(
        '"https://NAME.cognitiveservices.azure.com"', repr(face.url)
    )
    names: dict[str, Any] = {
        "run_front_end": lambda token: SimulatedClient().start(token).digest,
    }
    exec(source.replace('"one of its two keys"', repr(KEY)), names)

    names["confirm"]("alice", portrait("alice"))  # and raises nothing

    names["gate"].close()


# --- the front end ------------------------------------------------------------------------------

JAVASCRIPT = [block for block in ALL if block.language == "javascript"]
BROWSER = """
const calls = [];
globalThis.fetch = async (path, options) => {
  calls.push([options.method, path, JSON.parse(options.body)]);
  const body = path.endsWith("finish") ? { state: "passed" } : { sessionId: "s1", authToken: "t1" };
  return { ok: true, json: async () => body };
};
const shown = [];
globalThis.document = {
  body: { append: (element) => shown.push(element.tag) },
  createElement: (tag) => ({
    tag,
    start: async (token) => {
      if (process.argv[2]) throw { livenessError: process.argv[2] };
      return { digest: "digest of " + token };
    },
    remove: () => shown.pop(),
  }),
};
const result = await prove("payout", "7");
console.log(JSON.stringify({ calls, shown, result }));
"""


@pytest.mark.process
@pytest.mark.parametrize("block", JAVASCRIPT, ids=str)
@pytest.mark.parametrize(
    ("failure", "report"),
    [("", {"digest": "digest of t1"}), ("TimedOut", {"clientError": "TimedOut"})],
)
def test_the_page_reports_how_the_attempt_ended(
    block: Block, failure: str, report: dict[str, str], tmp_path: Path
) -> None:
    import json

    needs.programs("node")
    script = tmp_path / "page.mjs"
    script.write_text(block.content + BROWSER)

    printed = subprocess.run(
        ["node", script, failure], capture_output=True, text=True, check=True
    ).stdout

    said = json.loads(printed)
    assert said["calls"] == [
        ["POST", "/liveness/sessions", {"purpose": "payout", "transaction": "7"}],
        ["POST", "/liveness/sessions/s1/finish", report],
    ]
    assert said["shown"] == []
    assert said["result"] == {"state": "passed"}


# --- the demo, links and words ------------------------------------------------------------------


@pytest.mark.process
def test_the_readme_shows_a_session_of_the_demo() -> None:
    shown = next(block.content for block in blocks(README) if block.language == "text")

    printed = subprocess.run(
        [BIN / "livegate", "demo"], capture_output=True, text=True, check=True
    ).stdout

    assert without_random_parts(shown) in without_random_parts(printed).split("\n\n")


def without_random_parts(output: str) -> str:
    """The demo's output without what differs: ids, tokens, digests, and the portrait's size."""
    output = re.sub(r"[\w-]{8}…", "????????…", re.sub(r" +\n", "\n", output))
    return re.sub(r"[\d,]+ bytes", "some bytes", output).strip()


def test_every_link_within_the_project_leads_somewhere() -> None:
    for path in documents():
        for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", path.read_text()):
            if "://" in target:
                continue
            page = path.parent / target if target else path
            assert page.exists(), f"{path}: {target}"
            if anchor:
                assert anchor in anchors(page), f"{path}: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


PLAIN = [path for path in documents() if "mockface" not in path.parts]
UNPLAIN = re.compile(
    r"\b(colou?rs?|doors?|verbs?|nouns?|dialects?|told|whoever|rooms?|kit|patience|slip of the pen"
    r"|in a hand|somebody|stranger)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_use_plain_words(path: Path) -> None:
    found = {line: UNPLAIN.findall(line) for line in path.read_text().splitlines()}
    assert {line: words for line, words in found.items() if words} == {}
