"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from mockface import Mockface

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """
    import json
    import urllib.request
    from pathlib import Path

    import pytest

    CREATE = {"livenessOperationMode": "Passive", "deviceCorrelationId": "a-device"}


    def create(environment):
        request = urllib.request.Request(
            f"{environment['VISION_ENDPOINT']}face/v1.2/detectLiveness-sessions",
            json.dumps(CREATE).encode(),
            {
                "Content-Type": "application/json",
                "Ocp-Apim-Subscription-Key": environment["VISION_KEY"],
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


    @pytest.mark.parametrize("number", range(4))
    def test_alone(mockface, mockface_server, number):
        # Nobody before has left anything, and nobody beside is seen.
        assert (mockface.sessions(), mockface.queue(), mockface.faults()) == ([], [], [])
        assert mockface.scenario == "real"
        created = create(mockface.environment)
        mockface.attempt(created["authToken"])
        assert [s["sessionId"] for s in mockface.sessions()] == [created["sessionId"]]
        with Path("made.txt").open("a") as file:
            print(number, mockface.key, created["sessionId"], mockface_server.url, file=file)
        # And what is moved here is moved here alone.
        before = mockface_server.clock.now()
        mockface.scenario = "spoof"
        mockface.enqueue("mask")
        mockface.add_fault(status=429, count=0)
        mockface.clear_faults()
        mockface.clock.advance(48 * 3600)
        assert mockface.sessions() == []
        assert (mockface_server.clock.now() - before).total_seconds() < 3600
"""


# The plugin by the name of its entry point, and no other: they make the runs slow.
ALONE = ("-p", "mockface", "-p", "no:cacheprovider")
WITH_XDIST = (*ALONE, "-p", "xdist", "-n", "2", "--dist=each")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCKFACE_URL", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture(autouse=True)
def _installed() -> None:
    found = [entry.value for entry in entry_points(group="pytest11", name="mockface")]
    assert found == ["mockface.pytest_plugin"], "install the project again: pip install -e ."


def made(folder: Path) -> dict[str, tuple[str, str, str]]:
    """What the suite's tests have noted: key, session id and server of each."""
    lines = [line.split() for line in (folder / "made.txt").read_text().splitlines()]
    (folder / "made.txt").unlink()
    return {number: (key, session_id, url) for number, key, session_id, url in lines}


# --- before a fixture is used ---------------------------------------------------------------------

SPY = """
    import sys

    HEAVY = ("mockface", "flask", "werkzeug", "azure", "waitress", "faker", "PIL", "jwt")

    def pytest_unconfigure(config):
        print("plugin:", config.pluginmanager.hasplugin("mockface"))
        print("loaded:", *sorted(m for m in sys.modules if m.partition(".")[0] in HEAVY))
"""


def spied(pytester: pytest.Pytester, *arguments: str) -> dict[str, str]:
    """What the spy has seen in a run of its own."""
    pytester.makeconftest(SPY)
    pytester.makepyfile("def test_of_something_else(): pass")
    result = pytester.runpytest_subprocess("-s", "-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(passed=1)
    lines = [line.partition(":") for line in result.outlines]
    return {name: said.strip() for name, _, said in lines if name in {"plugin", "loaded"}}


@pytest.mark.process
def test_it_imports_nothing_before_a_fixture_is_used(pytester: pytest.Pytester) -> None:
    # Other plugins that are installed may well load such packages: this run has none of them.
    assert spied(pytester, "-p", "mockface")["loaded"] == "mockface mockface.pytest_plugin"


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "is_there"),
    [((), "True"), (("-p", "no:mockface"), "False")],
    ids=["installed", "switched off"],
)
def test_it_is_there_unless_it_is_switched_off(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    is_there: str,
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")

    assert spied(pytester, *arguments)["plugin"] == is_there


# --- a tenant for a test --------------------------------------------------------------------------


def test_a_test_has_the_emulator_for_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = pytester.runpytest_inprocess(*ALONE)

    result.assert_outcomes(passed=4)
    tests = made(pytester.path)
    assert len({key for key, _, _ in tests.values()}) == 4
    assert len({url for _, _, url in tests.values()}) == 1


@pytest.mark.process
def test_each_worker_has_a_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = pytester.runpytest_subprocess(*WITH_XDIST)

    result.assert_outcomes(passed=8)
    text = (pytester.path / "made.txt").read_text()
    assert len({line.split()[3] for line in text.splitlines()}) == 2


@pytest.mark.process
def test_workers_and_runs_can_share_a_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(SUITE)
    with Mockface() as mock:
        monkeypatch.setenv("MOCKFACE_URL", mock.url)

        # Given two workers that run the same tests against one server
        result = pytester.runpytest_subprocess(*WITH_XDIST)

        # Then even tests of the same name have had a tenant each, and none is left
        result.assert_outcomes(passed=8)
        lines = (pytester.path / "made.txt").read_text().splitlines()
        assert len({line.split()[1] for line in lines}) == 8
        assert {line.split()[3] for line in lines} == {mock.url}
        assert mock.engine.tenants() == []
        # And the server is still there
        assert mock.control().about()["scenarios"]


def test_a_shared_server_has_to_take_any_key(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(SUITE)
    with Mockface(keys=["its-own"]) as mock:
        url = mock.url
        monkeypatch.setenv("MOCKFACE_URL", url)
        result = pytester.runpytest_inprocess(*ALONE)

    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines([f"mockface at {url} takes no tenant for this test: Access*"])


def test_a_shared_server_is_named_by_a_url(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKFACE_URL", "127.0.0.1:8178")
    pytester.makepyfile("def test(mockface): pass")

    result = pytester.runpytest_inprocess(*ALONE)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["MOCKFACE_URL names no emulator: url must be *http://*"])


# --- settings -------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_bytes_in_each_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    runs = []
    for seed in ("one", "one", "other"):
        pytester.makeini(f"[pytest]\nmockface_seed = {seed}")
        pytester.runpytest_inprocess(*ALONE).assert_outcomes(passed=4)
        runs.append({number: told[:2] for number, told in made(pytester.path).items()})

    assert runs[0] == runs[1]
    assert not {told[1] for told in runs[0].values()} & {told[1] for told in runs[2].values()}


@pytest.mark.parametrize("shared", [False, True])
def test_what_holds_in_all_tests(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *, shared: bool
) -> None:
    pytester.makeini("[pytest]\nmockface_scenario = wrong-person\nmockface_pace = 3reads")
    pytester.makepyfile(
        "def test(mockface):"
        "    assert (mockface.scenario, mockface.pace) == ('wrong-person', '3reads')"
    )
    with Mockface() as mock:
        if shared:
            monkeypatch.setenv("MOCKFACE_URL", mock.url)
        result = pytester.runpytest_inprocess(*ALONE)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [("mockface_scenario = spof", "wrong-person"), ("mockface_pace = soon", "3reads")],
)
def test_a_setting_that_nobody_knows(pytester: pytest.Pytester, setting: str, remedy: str) -> None:
    pytester.makeini(f"[pytest]\n{setting}")
    pytester.makepyfile("def test(mockface): pass")

    result = pytester.runpytest_inprocess(*ALONE)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"mockface at *{remedy}*"])


def test_the_help_names_the_settings(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*ALONE, "--help")

    result.stdout.fnmatch_lines(["*mockface_seed*", "*mockface_scenario*", "*mockface_pace*"])


def test_a_fault_that_hit_nothing_is_warned_of(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_unused(mockface):
            mockface.add_fault("delete", status=500)

        def test_used(mockface):
            mockface.add_fault("*", status=500, count=0)
            from urllib.error import HTTPError
            from urllib.request import Request, urlopen
            try:
                urlopen(Request(mockface.url + "/face/v1.2/detectLiveness-sessions/x", headers={
                    "Ocp-Apim-Subscription-Key": mockface.key}))
            except HTTPError as error:
                error.close()
        """
    )

    result = pytester.runpytest_inprocess(*ALONE, "-W", "default")

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*hit no call, the first was for 'delete'*"])


# --- the client library ---------------------------------------------------------------------------


def test_ready_clients_of_either_colour(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio

        from azure.ai.vision.face.models import CreateLivenessSessionContent

        BODY = CreateLivenessSessionContent(
            liveness_operation_mode="Passive", device_correlation_id="a-device"
        )

        def test_sync(mockface, face_session_client):
            created = face_session_client.create_liveness_session(BODY)
            mockface.attempt(created.auth_token, scenario="spoof")
            read = face_session_client.get_liveness_session_result(created.session_id)
            assert read.result.response.body.liveness_decision == "spoofface"

        def test_async(mockface, async_face_session_client):
            async def create():
                async with async_face_session_client() as client:
                    created = await client.create_liveness_session(BODY)
                async with async_face_session_client(api_version="v1.2-preview.1") as client:
                    return await client.get_liveness_session_result(created.session_id)

            session = asyncio.run(create())
            assert [s["sessionId"] for s in mockface.sessions()] == [session.id]
        """
    )

    result = pytester.runpytest_inprocess(*ALONE)

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("missing", "fixture", "extra"),
    [
        ("mockface.server", "mockface", "mock"),
        ("azure.ai.vision.face", "face_session_client", "azure"),
        ("azure.ai.vision.face.aio", "async_face_session_client", "azure"),
    ],
)
def test_an_extra_that_is_not_installed(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    fixture: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    pytester.makepyfile(f"def test({fixture}): pass")

    result = pytester.runpytest_inprocess(*ALONE)

    result.assert_outcomes(errors=1)
    said = f"{missing} is not installed; run: pip install 'livegate[[]{extra}]'"
    result.stdout.fnmatch_lines([said])
