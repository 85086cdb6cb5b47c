"""`mockface journal`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockface.commands.parts import FAILED, USAGE, CommandError, number, whole
from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    from mockface.commands.parts import Parser
    from mockface.remote.control_client import ControlClient

DEFAULT_ACTION = "list"
EXAMPLES = """\
examples:
  mockface journal                                        the latest requests, a line each
  mockface journal list --status 4xx --bodies             with headers and bodies, as JSON
  mockface journal count --route create
  mockface journal wait --route attempt --timeout 20      until the front end has called
  mockface journal expect --route create --body '{"authTokenTimeToLiveInSeconds": 600}'
  mockface journal save exchanges.jsonl
"""

_FILTERS = ("route", "method", "path", "status", "code", "session", "since")


def add(parser: Parser) -> None:
    """Adds the options."""
    actions = parser.actions()
    shown = actions.add("list", "show what was asked (the default)")
    _add_filters(shown)
    shown.option("--limit", type=_count, help="at most so many; default: 1000")
    shown.option("--bodies", action="store_true", help="whole messages, as JSON")
    _add_filters(actions.add("count", "say how many there are"))
    wait = actions.add("wait", "wait until it was asked; status 1 if time runs out")
    _add_filters(wait)
    wait.option("--count", type=_count, default="1", help="so often; default: %(default)s")
    _add_timeout(wait, "10")
    expect = actions.add("expect", "check what was asked; status 1, and the nearest, if it was not")
    _add_filters(expect)
    expect.option("--body", type=_json, metavar="JSON", help="what the request's body has")
    expect.option("--answer", type=_json, metavar="JSON", help="what the answer's body has")
    expect.option("--at-least", type=_count, help="so often; default: 1")
    expect.option("--at-most", type=_count, help="not more often")
    _add_timeout(expect, "0")
    save = actions.add("save", "write it into a file, a line of JSON for each exchange")
    _add_filters(save)
    save.add_argument("file", type=Path, metavar="FILE")
    add_place(actions.add("clear", "forget it"))


def _add_filters(parser: Parser) -> None:
    add_place(parser)
    parser.option("--route", help="an operation such as create, or a pattern such as result*")
    parser.option("--method", help="such as POST")
    parser.option("--path", help="a pattern such as */sessionImages/*")
    parser.option("--status", help="such as 404 or 4xx")
    parser.option("--code", help="the error's code")
    parser.option("--session", metavar="ID", help="about this session")
    parser.option("--since", help="after an entry's number, or from a time on")


def _add_timeout(parser: Parser, default: str) -> None:
    parser.option(
        "--timeout",
        type=number,
        default=default,
        metavar="SECONDS",
        help="how long to wait for it, at most 60; default: %(default)s",
    )


def run(options: argparse.Namespace) -> int:
    """Asks the emulator."""
    there = emulator(options, timeout=getattr(options, "timeout", 0.0) + 30)
    return _ACTIONS[options.action](there, options)


def _list(there: ControlClient, options: argparse.Namespace) -> int:
    query = _query(options)
    if options.limit:
        query["limit"] = options.limit
    if options.bodies:
        show(there.call("GET", "journal", query=query | {"bodies": "true"}))
        return 0
    for entry in there.call("GET", "journal", query=query)["entries"]:
        print(
            f"{entry['id']:>6}  {entry['at'][:23]}  {entry['status']}  {entry['method']:<6} "
            f"{entry['path']}  {entry['route'] or '-'}  {entry['code']}".rstrip()
        )
    return 0


def _count_them(there: ControlClient, options: argparse.Namespace) -> int:
    show(there.call("GET", "journal/count", query=_query(options)))
    return 0


def _wait(there: ControlClient, options: argparse.Namespace) -> int:
    query = _query(options) | {"count": options.count, "timeout": options.timeout}
    said = there.call("GET", "journal/wait", query=query)
    show(said)
    return 0 if said["met"] else FAILED


def _expect(there: ControlClient, options: argparse.Namespace) -> int:
    expected = {name: value for name, value in _query(options).items() if name != "since"}
    for name in ("body", "answer"):
        if getattr(options, name) is not None:
            expected[name] = getattr(options, name)
    told = {
        "expect": expected,
        "since": options.since,
        "atLeast": options.at_least,
        "atMost": options.at_most,
        "timeout": options.timeout,
    }
    said = there.call("POST", "journal/verify", {n: v for n, v in told.items() if v is not None})
    show(said)
    return 0 if said["met"] else FAILED


def _save(there: ControlClient, options: argparse.Namespace) -> int:
    entries = there.call(
        "GET", "journal", query=_query(options) | {"bodies": "true", "limit": 10**6}
    )
    lines = "".join(json.dumps(entry) + "\n" for entry in entries["entries"])
    try:
        options.file.write_text(lines, encoding="ascii")
    except OSError as wrong:
        raise CommandError(f"cannot write {options.file}: {wrong.strerror}", USAGE) from None
    print(f"{len(entries['entries'])} exchanges in {options.file}")
    return 0


def _clear(there: ControlClient, _: argparse.Namespace) -> int:
    there.call("DELETE", "journal")
    return 0


_ACTIONS = {
    "list": _list,
    "count": _count_them,
    "wait": _wait,
    "expect": _expect,
    "save": _save,
    "clear": _clear,
}


def _query(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name, None) for name in _FILTERS}
    return {name: value for name, value in given.items() if value is not None}


def _count(text: str) -> int:
    return whole(text, 0, 10**6)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON") from None
