"""What all commands share: options that the environment gives too, groups, and errors of usage."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = "http://127.0.0.1:8178"
"""Where an emulator runs by default."""

option = functools.partial(click.option, show_envvar=True)


class Group(click.Group):
    """Lists its commands in the order in which they are written.

    Args:
        default: The command that is meant without a name of one.
    """

    def __init__(self, *args: Any, default: str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._default = default

    def list_commands(self, _: click.Context) -> list[str]:
        """The names, as they are written."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Without the name of a command, the default one is meant."""
        is_help = bool(args) and args[0] in ctx.help_option_names
        if self._default and not is_help and (not args or args[0].startswith("-")):
            args = [self._default, *args]
        return super().parse_args(ctx, args)


def parsed(parse: Callable[[str], object], accepted: str) -> Callable[..., object]:
    """A callback for an option whose text a function reads; `accepted` is for the error."""

    def callback(_ctx: click.Context, _param: click.Parameter, value: str | None) -> object:
        try:
            return None if value is None else parse(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is not {accepted}.") from None

    return callback


@contextmanager
def usage_errors() -> Iterator[None]:
    """Makes what is raised for wrong arguments an error of the command line."""
    try:
        yield
    except (ValueError, LookupError) as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
