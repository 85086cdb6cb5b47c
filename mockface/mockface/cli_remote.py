"""The commands that speak to a running emulator."""

from __future__ import annotations

import functools
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from mockface.cli_parts import URL, Group, option, parsed, usage_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.remote.control_client import ControlClient

    Function = Callable[..., Any]

_ALL = 10**6  # entries; more than a journal keeps


def _show(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _delay(text: str) -> object:
    """Seconds, or a distribution as the control API takes it."""
    for sign, names in (("~", ("median", "sigma")), ("-", ("low", "high"))):
        if sign in text[1:]:
            return dict(zip(names, map(float, text.split(sign, 1)), strict=True))
    return float(text)


_JSON = parsed(json.loads, "JSON")


def _remote(function: Function) -> Function:
    """Adds the options that name a running emulator; the function gets a client of it."""

    @option("--endpoint", metavar="URL", default=URL, envvar="MOCKFACE_ENDPOINT")
    @option(
        "--key",
        envvar="MOCKFACE_KEY",
        help="Whose sessions: of this resource key, or the first of several; by default all.",
    )
    @functools.wraps(function)
    def run(endpoint: str, key: str | None, **options: Any) -> None:
        from mockface.remote.control_client import ControlClient  # noqa: PLC0415 - see the module
        from mockface.remote.sending import over_http  # noqa: PLC0415 - see the module

        send = over_http(30 + options.get("timeout", 0))
        named = None if key is None else key.partition(",")[0].strip()
        if named == "":  # which would be all of them
            raise click.UsageError("--key must have printable ASCII characters.")
        with usage_errors():
            client = ControlClient(endpoint, named or "", send=send)
        function(client, **options)

    return run


@click.group(cls=Group, default="list")
def scenario() -> None:
    """Choose what attempts are, on a running emulator.

    NAME is a scenario, or several: + for at once, a comma for one attempt after the other.

    \b
    Examples:
      mockface scenario                         which there are, and which one holds
      mockface scenario set spoof               from now on
      mockface scenario set mask,real           each person fails once, and then succeeds
      mockface scenario queue spoof real+late   for the next two sessions
      mockface scenario pin SESSION uncertain   for one session
      mockface scenario pace 3reads             results are out after three more reads
    """


@scenario.command("list")
@_remote
def list_scenarios(client: ControlClient) -> None:
    """Show which there are, and which one holds (the default)."""
    known = client.call("GET", "")["scenarios"]
    _show(client.call("GET", "scenario") | {"scenarios": known})


@scenario.command("set")
@click.argument("name")
@_remote
def set_scenario(client: ControlClient, name: str) -> None:
    """Choose what attempts are from now on."""
    _show(client.call("PUT", "scenario", {"scenario": name}))


@scenario.command()
@click.argument("name", nargs=-1)
@_remote
def queue(client: ControlClient, name: tuple[str, ...]) -> None:
    """Choose for the next sessions, one NAME each, or show what waits."""
    _show(
        client.call("POST", "queue", {"scenarios": name}) if name else client.call("GET", "queue")
    )


@scenario.command()
@click.argument("session")
@click.argument("name")
@_remote
def pin(client: ControlClient, session: str, name: str) -> None:
    """Choose for one session, by its id."""
    place = f"sessions/{quote(session, safe='')}/scenario"
    _show(client.call("PUT", place, {"scenario": name}))


@scenario.command()
@click.argument("pace", required=False)
@option("--session", metavar="ID", help="For this session alone.")
@_remote
def pace(client: ControlClient, pace: str | None, session: str | None) -> None:
    """Set when results are out, such as at-once, 3reads or 30s, or show it."""
    if pace is None:
        if session is not None:
            raise click.UsageError("A session's pace cannot be shown: name the new PACE.")
        _show(client.call("GET", "pace"))
        return
    place = "pace" if session is None else f"sessions/{quote(session, safe='')}/pace"
    _show(client.call("PUT", place, {"pace": pace}))


@click.group(cls=Group, default="list")
def fault() -> None:
    """Let responses of a running emulator go wrong.

    \b
    Examples:
      mockface fault                                         those that wait
      mockface fault add --route create --status 429 --retry-after 7
      mockface fault add --route 'result*' --status 503 --count 0 --seconds 30
      mockface fault add --delay 0.2~0.5 --count 0           around 0.2 s, at times much longer
      mockface fault add --route create --reset --probability 0.1 --count 0
      mockface fault tier F0                                 20 calls a minute
    """


@fault.command("list")
@_remote
def list_faults(client: ControlClient) -> None:
    """Show the faults that wait (the default)."""
    _show(client.call("GET", "faults"))


@fault.command("add")
@option("--route", default="*", help="An operation such as create, or a pattern such as result*.")
@option("--status", type=int, help="400 to 599; the operation is then not carried out.")
@option("--retry-after", type=int, metavar="SECONDS", help="A Retry-After header.")
@option(
    "--body",
    type=click.Choice(["service", "gateway", "garbage", "truncated", "empty"]),
    help="What the body is.",
)
@option(
    "--delay",
    metavar="SECONDS",
    callback=parsed(_delay, "1.5, 0.1-0.5 or 0.2~0.5"),
    help="Hold the response back: 1.5, anything from 0.1-0.5, or with the median and the sigma of "
    "a lognormal distribution 0.2~0.5.",
)
@option("--cut-after", type=int, metavar="BYTES", help="Close the connection after so many.")
@option("--bytes-per-second", type=float, metavar="BYTES", help="Send the body this slowly.")
@option("--reset", is_flag=True, default=None, help="Reset the connection, answer nothing.")
@option("--probability", type=float, help="How likely a response is hit, up to 1.")
@option("--count", type=int, help="How many responses are hit, 0 for all; by default one.")
@option("--seconds", type=float, help="For how long, by the emulator's clock.")
@_remote
def add_fault(client: ControlClient, **options: Any) -> None:
    """Let responses go wrong."""
    told = {
        re.sub("_(.)", lambda after: after[1].upper(), name): value
        for name, value in _given(options).items()
    }
    _show(client.call("POST", "faults", told))


@fault.command("clear")
@_remote
def clear_faults(client: ControlClient) -> None:
    """Drop the faults that wait."""
    client.call("DELETE", "faults")


@fault.command("drop")
@click.argument("number", type=int)
@_remote
def drop_fault(client: ControlClient, number: int) -> None:
    """Drop one fault, by its id."""
    client.call("DELETE", f"faults/{number}")


@fault.command()
@click.argument("name", required=False, metavar="[F0|S0|none]")
@_remote
def tier(client: ControlClient, name: str | None) -> None:
    """Show or set the price tier whose rate limit holds."""
    _show(client.call("PUT", "limit", {"tier": name}) if name else client.call("GET", "limit"))


@click.group(cls=Group, default="show")
def clock() -> None:
    """Read, freeze and move the time of a running emulator.

    \b
    Examples:
      mockface clock                            what time it is there
      mockface clock advance 600                a token of the default TTL expires
      mockface clock freeze                     stop it now
      mockface clock freeze 2026-01-31T12:00Z   stop it then
      mockface clock resume                     let it run on from where it stands
    """


@clock.command("show")
@_remote
def show_clock(client: ControlClient) -> None:
    """Show the time (the default)."""
    _show(client.call("GET", "clock"))


@clock.command()
@click.argument("seconds", type=float)
@_remote
def advance(client: ControlClient, seconds: float) -> None:
    """Move the clock forward."""
    _show(client.call("POST", "clock", {"advance": seconds}))


@clock.command()
@click.argument("time", required=False)
@_remote
def freeze(client: ControlClient, time: str | None) -> None:
    """Stop the clock, now or at a TIME such as 2026-01-31T12:00Z."""
    _show(client.call("POST", "clock", {"freeze": time or True}))


@clock.command()
@_remote
def resume(client: ControlClient) -> None:
    """Let the clock run on from where it stands."""
    _show(client.call("POST", "clock", {"resume": True}))


_FILTERS = {
    "route": "An operation such as create, or a pattern such as result*.",
    "method": "Such as POST.",
    "path": "A pattern such as */sessionImages/*.",
    "status": "Such as 404 or 4xx.",
    "code": "The error's code.",
    "session": "About the session of this id.",
    "since": "After an entry's number, or from a time on.",
}


def _filtered(function: Function) -> Function:
    """Adds the options that choose entries of the journal."""
    function = _remote(function)
    for name, text in reversed(_FILTERS.items()):
        function = option(f"--{name}", help=text)(function)
    return function


@click.group(cls=Group, default="list")
def journal() -> None:
    """Read, wait for, check and save what was requested.

    \b
    Examples:
      mockface journal                                     the latest requests, a line each
      mockface journal list --status 4xx --bodies          with headers and bodies, as JSON
      mockface journal count --route create
      mockface journal wait --route attempt --timeout 20   until the front end has called
      mockface journal expect --route create --body '{"enableSessionImage": true}'
      mockface journal save exchanges.jsonl
    """


@journal.command("list")
@_filtered
@option("--limit", type=int, help="At most so many; by default 1000.")
@option("--bodies", is_flag=True, help="Whole messages, as JSON.")
def list_entries(client: ControlClient, *, bodies: bool, **query: Any) -> None:
    """Show the requests (the default)."""
    query = _given(query)
    if bodies:
        _show(client.call("GET", "journal", query=query | {"bodies": "true"}))
        return
    for entry in client.call("GET", "journal", query=query)["entries"]:
        click.echo(
            f"{entry['id']:>6}  {entry['at'][:23]}  {entry['status']}  {entry['method']:<6} "
            f"{entry['path']}  {entry['route'] or '-'}  {entry['code']}".rstrip()
        )


@journal.command("count")
@_filtered
def count_entries(client: ControlClient, **query: Any) -> None:
    """Show how many requests there are."""
    _show(client.call("GET", "journal/count", query=_given(query)))


@journal.command("wait")
@_filtered
@option("--count", type=int, default=1, help="So often.")
@option("--timeout", type=float, default=10.0, help="Seconds to wait, at most 60.")
def wait_for_entries(client: ControlClient, **query: Any) -> None:
    """Wait for requests; status 1 if time runs out."""
    _conclude(client.call("GET", "journal/wait", query=_given(query)))


@journal.command("expect")
@_filtered
@option("--body", metavar="JSON", callback=_JSON, help="What the request's body has.")
@option("--answer", metavar="JSON", callback=_JSON, help="What the response's body has.")
@option("--at-least", type=int, help="So often; by default once.")
@option("--at-most", type=int, help="Not more often.")
@option("--timeout", type=float, default=0.0, help="Seconds to wait, at most 60.")
def expect_entries(
    client: ControlClient,
    since: str | None,
    at_least: int | None,
    at_most: int | None,
    timeout: float,
    **expected: Any,
) -> None:
    """Check requests; status 1, and the nearest one, if there are none."""
    bounds = {"since": since, "atLeast": at_least, "atMost": at_most, "timeout": timeout}
    told = {"expect": _given(expected)} | _given(bounds)
    _conclude(client.call("POST", "journal/verify", told))


def _conclude(said: dict[str, Any]) -> None:
    _show(said)
    if not said["met"]:
        sys.exit(1)


@journal.command("save")
@_filtered
@click.argument("file", type=click.Path(path_type=Path))
def save_entries(client: ControlClient, file: Path, **query: Any) -> None:
    """Write the requests into a file, a line of JSON for each."""
    query = _given(query) | {"bodies": "true", "limit": _ALL}
    entries = client.call("GET", "journal", query=query)["entries"]
    file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="ascii")
    click.echo(f"{len(entries)} exchanges in {file}")


@journal.command("clear")
@_remote
def clear_entries(client: ControlClient) -> None:
    """Forget the requests."""
    client.call("DELETE", "journal")


@click.command()
@_remote
def reset(client: ControlClient) -> None:
    """Make a running emulator forget what happened.

    \b
    Examples:
      mockface reset              everything, and the clock is put back
      mockface reset --key KEY    one tenant's sessions, faults and journal
    """
    client.call("POST", "reset")
