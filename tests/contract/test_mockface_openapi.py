"""The served OpenAPI documents against the contract's schemas: operations, fields, enumerations.

Runs when FACE_CONTRACT_DIR names the contract; tests/mockface/test_openapi.py needs it not.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mockface.openapi import document
from mockface.operations import VERSIONS

CONTRACT = os.environ.get("FACE_CONTRACT_DIR", "")

pytestmark = pytest.mark.skipif(not CONTRACT, reason="FACE_CONTRACT_DIR names no contract")

# What the emulator has beyond the contract: the front end's calls.
CLIENT_SIDE = {
    ("post", "/session/start"),
    ("post", "/session/attempt/end"),
    ("post", "/detectLiveness/singleModal"),
    ("post", "/detectLivenessWithVerify/singleModal"),
}
# A documentation example of 2026 shows it; the specification's list is older.
NEWER_MODEL = "2025-05-20"
COMPARED = ("type", "format", "minimum", "maximum", "default")


def contract(version: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((Path(CONTRACT) / "schemas" / f"{version}.json").read_text())
    return read


class Comparison:
    """Collects the places at which our schema says something else than theirs."""

    def __init__(self, version: str) -> None:
        self.ours: dict[str, Any] = document(version)
        self.theirs = contract(version)
        self.differences: list[str] = []
        self.compared = 0

    def compare(self, ours: Any, theirs: Any, at: str) -> None:
        self.compared += 1
        ours, theirs = follow(self.ours, ours), follow(self.theirs, theirs)
        if theirs.get("contentEncoding") == "binary":
            self.equal(ours, {"type": "string", "format": "binary"}, at)
        elif "contentSchema" in theirs:
            # A text that holds JSON: OpenAPI says it by the schema of what the text holds.
            self.compare(ours, theirs["contentSchema"], at)
        else:
            for word in COMPARED:
                if word in theirs:
                    self.equal(ours.get(word), theirs[word], f"{at} {word}")
            self.equal(
                set(ours.get("enum", ())) - {NEWER_MODEL},
                set(theirs.get("enum", ())),
                f"{at} enum",
            )
            if theirs == {"type": "object"}:
                return  # the contract leaves it open: landmarks and attributes
            self.equal(set(ours.get("required", ())), set(theirs.get("required", ())), at)
            fields, wanted = ours.get("properties", {}), theirs.get("properties", {})
            self.equal(set(fields), set(wanted), at)
            for name in fields.keys() & wanted.keys():
                self.compare(fields[name], wanted[name], f"{at}.{name}")
            if "items" in theirs:
                self.compare(ours.get("items", {}), theirs["items"], f"{at}[]")

    def equal(self, ours: object, theirs: object, at: str) -> None:
        if ours != theirs:
            self.differences.append(f"{at}: {ours} is not {theirs}")


def follow(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found = root
    if "$ref" not in schema:
        return schema
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found | {name: value for name, value in schema.items() if name != "$ref"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_document_agrees_with_the_contract(version: str) -> None:
    checked = Comparison(version)
    left: set[tuple[str, str]] = {
        (m, path) for path, methods in checked.ours["paths"].items() for m in methods
    }

    for name, theirs in checked.theirs["x-operations"].items():
        method, path = theirs["method"].lower(), theirs["path"]
        ours = checked.ours["paths"].get(path, {}).get(method)
        assert ours, f"{name} is missing"
        left.discard((method, path))
        for kind, schema in theirs.get("request", {}).items():
            said = ours["requestBody"]["content"][kind]["schema"]
            checked.compare(said, schema, f"{name} {kind}")
        query = {p["name"]: p["schema"] for p in ours.get("parameters", ()) if p["in"] == "query"}
        checked.compare({"properties": query}, {"type": None} | theirs.get("query", {}), name)
        for status, schema in theirs["responses"].items():
            content = ours["responses"][status].get("content", {})
            if schema is None:
                assert content == {}
                continue
            (said,) = content.values()
            checked.compare(said["schema"], schema, f"{name} {status}")

    # That the first version can detect, its client library says; the contract is about sessions.
    assert left - {("post", "/detect")} == CLIENT_SIDE
    assert checked.differences == []
    assert checked.compared > 100
