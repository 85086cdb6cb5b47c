"""The commands of `mockface`: one small file each, and this table.

A command's module has `add(parser)`, which adds its options, and `run(options)`, which gives the
exit status or raises `CommandError`; one that has actions names the `DEFAULT_ACTION`. It imports at
its top only what costs nothing: the rest comes when it runs.
"""

from __future__ import annotations

from types import MappingProxyType

COMMANDS = MappingProxyType(
    {
        "serve": "serve the API on a port",
        "attempt": "make an attempt as the front end would",
        "openapi": "print the OpenAPI document of a version",
        "portrait": "draw a reference image",
        "scenario": "say what attempts will be, on a running emulator",
        "fault": "let answers of a running emulator go wrong",
        "clock": "read, freeze and move the time of a running emulator",
        "journal": "read, wait for, check and save what was asked",
        "reset": "make a running emulator forget what happened",
    }
)
"""What there is, with a line for the help; the module has the command's name."""
