"""The fields of a fault are the same in the control API, the Python client and the docs."""

from __future__ import annotations

import inspect
import re

import msgspec

from documents import ROOT
from mockface.faults import Fault
from mockface.remote.control_client import ControlClient


def test_the_table_in_the_docs_has_every_field() -> None:
    page = (ROOT / "docs/mockface/faults.md").read_text("utf-8")
    table = page.partition("| `POST /_mock/faults` |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    assert sorted(named) == sorted(Fault.__struct_encode_fields__)


def test_the_client_takes_every_field_with_the_same_default() -> None:
    _, route, *others = inspect.signature(ControlClient.add_fault).parameters.values()

    assert route.name == "route"
    assert {each.name: each.default for each in others} == {
        field.name: field.default
        for field in msgspec.structs.fields(Fault)
        if field.name != "route"
    }
