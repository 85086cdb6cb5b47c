"""The page of the public Python API: what signatures and docstrings say, name by name."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from importlib import import_module
from itertools import pairwise
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args

from livegate.errors import LivegateError
from livegate.hooks import HOOKS

if TYPE_CHECKING:
    from types import ModuleType

HEAD = """\
# The Python API

<!-- made from the code: tests/support/pages.py writes this page, and a test compares it -->

These modules and names are public. Everything else, and every name with an underscore, may change
without notice. Times are aware and in UTC.

"""

MODULES = {
    "livegate": "What applications import.",
    "livegate_flask": "The adapter for [Flask](flask.md).",
    "livegate.worker": "The loop of [the worker](worker.md), for threads and tasks.",
    "livegate.errors": "Every error; each is a `LivegateError`. The codes are those of the "
    "[HTTP API](http.md#errors).",
    "livegate.hooks": "What [plugins](plugins.md) import. Names that are described elsewhere on "
    "this page are only listed.",
    "livegate.stores.memory": "The store of `memory://`.",
    "livegate.stores.sqlite": "The store of `sqlite:///PATH`.",
    "livegate.testing": "For [tests](testing.md).",
}
"""The public modules, in the order of the page."""

NAMES = {
    "livegate.stores.memory": ["MemoryStore"],
    "livegate.stores.sqlite": ["SqliteStore"],
    "livegate_flask": ["Livegate"],
    "livegate.worker": ["SweepReport", "run", "run_async"],
}
"""The public names of modules whose ``__all__`` does not say them."""

_STATUS = {"MethodNotAllowedError": 405}
"""Those that a constructor sets."""

_STARS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields):$", re.MULTILINE)
_ENTRY = re.compile(r"^(\*{0,2}[\w.]+): ((?:.+\n?)(?:^ +.+\n?)*)", re.MULTILINE)


def public_names(module: str) -> list[str]:
    """The public names of a module, in the order of the page."""
    loaded = import_module(module)
    if module == "livegate.errors":
        return [
            name
            for name, value in vars(loaded).items()
            if inspect.isclass(value)
            and issubclass(value, LivegateError)
            and not name.startswith("_")
        ]
    return NAMES.get(module) or sorted(loaded.__all__)


def page() -> str:
    """The page as it has to be."""
    parts = [HEAD]
    described: set[int] = set()
    for module, text in MODULES.items():
        parts.append(f"## {module}\n\n{text}\n\n")
        loaded = import_module(module)
        listed = []
        for name in public_names(module):
            value = getattr(loaded, name)
            if module == "livegate.hooks" and id(value) in described:
                listed.append(name)
                continue
            described.add(id(value))
            if module != "livegate.errors":
                parts.append(_entry(loaded, name, value))
        if module == "livegate.errors":
            parts.append(_errors(loaded))
        if listed:
            parts.append(f"Also here: {', '.join(f'`{name}`' for name in listed)}.\n\n")
    return "".join(parts).rstrip() + "\n"


def _entry(module: ModuleType, name: str, value: Any) -> str:
    head = f"### `{name}`\n\n"
    if name == "__version__":
        return head + "The version of livegate, a str.\n\n"
    if isinstance(value, UnionType):
        return head + f"Any of {', '.join(f'`{each.__name__}`' for each in get_args(value))}.\n\n"
    if name in ("HOOKS", "hookimpl") or isinstance(value, Enum) or not callable(value):
        return head + _constant(module, name, value)
    if inspect.isfunction(value):
        return head + _function(value)
    if value.__name__ in {kind.__name__ for kind in HOOKS.values()}:
        hook = next(each for each in HOOKS if HOOKS[each] is value)
        return head + _text(inspect.getdoc(value)) + _method(hook, getattr(value, hook))
    return head + _class(value)


def _constant(module: ModuleType, name: str, value: Any) -> str:
    """What the string after the assignment of a constant says."""
    homes = [module, *map(import_module, ("livegate.purposes", "livegate.plugins.hookspecs"))]
    homes += [import_module("livegate.protocols"), import_module("livegate.lifecycle")]
    for home in homes:
        body = ast.parse(inspect.getsource(home)).body
        for statement, following in pairwise(body):
            targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
            is_it = any(isinstance(each, ast.Name) and each.id == name for each in targets)
            if (
                is_it
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                return _text(str(following.value.value))
    kind = type(value).__name__
    return f"A member of `{kind}`.\n\n" + _text(inspect.getdoc(type(value)))


def _class(kind: Any) -> str:
    text, sections = _split(inspect.getdoc(kind) or "")
    parts = []
    if issubclass(kind, Enum):
        members = ", ".join(f"`{each.name}` (`{each.value}`)" for each in kind)
        return _text(text) + f"Members: {members}.\n\n"
    is_protocol = getattr(kind, "_is_protocol", False)
    if is_dataclass(kind):
        parts.append(_text(text) + _fields(kind, sections.pop("Attributes", {})))
    else:
        if not is_protocol and "__init__" in vars(kind):
            parts.append(f"`{_signature(kind.__name__, kind.__init__)}`\n\n")
        parts.append(_text(text))
    parts.append(_sections(sections))
    also = []
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if isinstance(member, property):
            parts.append(f"**`{name}`**: {_one_line(inspect.getdoc(member))}\n\n")
        elif inspect.isfunction(function):
            if (inspect.getdoc(function) or "").startswith("See "):
                also.append(name)
            else:
                parts.append(_method(name, function))
    if also:
        parts.append(f"Methods: {', '.join(f'`{name}`' for name in also)}.\n\n")
    return "".join(parts)


def _fields(kind: Any, described: dict[str, str]) -> str:
    if not fields(kind):
        return ""
    lines = ["| field | type and default | |", "|---|---|---|"]
    for each in fields(kind):
        default = _default(each)
        annotation = str(each.type).replace("|", "\\|")
        shown = f"`{annotation}`" + (f" = `{default}`" if default else "")
        lines.append(
            f"| `{each.name}` | {shown} | {described.get(each.name, '')} |".replace("|  |", "| |")
        )
    return "\n".join(lines) + "\n\n"


def _default(each: Field[Any]) -> str:
    if each.default is not MISSING:
        return _value(each.default).replace("|", "\\|")
    if each.default_factory is not MISSING:
        return _value(each.default_factory())
    return ""


def _function(function: Any) -> str:
    text, sections = _split(inspect.getdoc(function) or "")
    return f"`{_signature(function.__name__, function)}`\n\n" + _text(text) + _sections(sections)


def _method(name: str, function: Any) -> str:
    text, sections = _split(inspect.getdoc(function) or "")
    head = f"**`{_signature(name, function)}`**\n\n"
    return head + _text(text) + _sections(sections)


def _signature(name: str, function: Any) -> str:
    parameters = []
    was_star = False
    for each in inspect.signature(function).parameters.values():
        if each.name in ("self", "cls"):
            continue
        if each.kind is each.KEYWORD_ONLY and not was_star:
            parameters.append("*")
            was_star = True
        star = _STARS.get(each.kind, "")
        was_star = was_star or star == "*"
        annotation = "" if each.annotation is each.empty else f": {each.annotation}"
        default = "" if each.default is each.empty else f" = {_value(each.default)}"
        parameters.append(f"{star}{each.name}{annotation}{default}")
    prefix = "await " if inspect.iscoroutinefunction(function) else ""
    return f"{prefix}{name}({', '.join(parameters)})"


def _value(value: Any) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if inspect.isroutine(value):
        return value.__name__
    if type(value).__module__.startswith("livegate"):
        return f"{type(value).__name__}(...)"
    return repr(value) if type(value).__name__ != "mappingproxy" else "{}"


def _errors(module: ModuleType) -> str:
    rows = ["| error | code | status | |", "|---|---|---|---|"]
    for name in public_names(module.__name__):
        kind = getattr(module, name)
        base = kind.__mro__[1].__name__
        is_direct = base.startswith("_") or base in ("LivegateError", "Exception")
        shown = f"`{name}`" if is_direct else f"`{name}` (`{base}`)"
        status = _STATUS.get(name, kind.status)
        rows.append(f"| {shown} | `{kind.code}` | {status} | {_one_line(kind.__doc__)} |")
    return "\n".join(rows) + "\n\n"


# --- docstrings ------------------------------------------------------------------------------


def _split(doc: str) -> tuple[str, dict[str, Any]]:
    """The text of a docstring, and its sections: entries by name, or text."""
    pieces = _SECTION.split(doc)
    sections: dict[str, Any] = {}
    for name, content in zip(pieces[1::2], pieces[2::2], strict=True):
        section = textwrap.dedent(content.strip("\n"))
        entries = {key: _markdown(" ".join(text.split())) for key, text in _ENTRY.findall(section)}
        sections[name] = entries if name != "Returns" else _markdown(" ".join(section.split()))
    return pieces[0].strip(), sections


def _sections(sections: dict[str, Any]) -> str:
    lines = []
    for name, content in sections.items():
        if name == "Returns":
            lines.append(f"- Returns: {content}")
        elif content:
            prefix = "raises " if name == "Raises" else ""
            lines += [f"- {prefix}`{key}`: {text}" for key, text in content.items()]
    return "\n".join(lines) + "\n\n" if lines else ""


def _text(doc: str | None) -> str:
    text = _split(doc or "")[0]
    return f"{_markdown(text)}\n\n" if text else ""


def _one_line(doc: str | None) -> str:
    return _markdown(" ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split()))


def _markdown(text: str) -> str:
    """reStructuredText as our docstrings use it, in Markdown."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+(?:\.\w+)?)`", r"`\1`", text)
    text = text.replace("``", "`")
    text = re.sub(r"(?m)::$", ":", text)
    return re.sub(r"(?<![\w*])\*(\w+)\*(?![\w*])", r"`\1`", text)
