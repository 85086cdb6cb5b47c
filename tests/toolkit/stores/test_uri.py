"""The built-in stores by URI."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from livegate.errors import ConfigurationError
from livegate.stores.memory import MemoryStore
from livegate.stores.opening import open_store
from livegate.stores.sqlite import SqliteStore
from livegate.stores.uri import sqlite_path

if TYPE_CHECKING:
    from pathlib import Path


def test_memory() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)
    assert open_store("memory://") is not open_store("memory://")


def test_sqlite_with_an_absolute_path(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / "x.db").exists()


def test_sqlite_with_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays where it was, also when the process goes elsewhere."""
    monkeypatch.chdir(tmp_path)
    store = open_store("SQLite:///x.db")
    assert store is not None
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert store.get("x") is None
    store.close()
    assert [path.name for path in tmp_path.rglob("*.db")] == ["x.db"]


@pytest.mark.parametrize("uri", ["", "x", "redis://host/0", "postgresql://u:p@h/d", "sqlite", "/x"])
def test_other_schemes_are_not_ours(uri: str) -> None:
    assert open_store(uri) is None


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("sqlite:", "three slashes"),
        ("sqlite:file.db", "three slashes"),
        ("sqlite:/file.db", "three slashes"),
        ("sqlite://", "three slashes"),
        ("sqlite://file.db", "three slashes"),
        ("sqlite://localhost/file.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:////", "names no file"),
        ("sqlite:///?mode=memory", "no options"),
        ("sqlite:///x.db?mode=ro", "no options"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///%3Amemory%3A", "memory://"),
        ("sqlite:///no/such/folder/x.db", "folder has to exist"),
        ("sqlite:///nul%00.db", "cannot be made"),
        ("memory:", "memory://"),
        ("memory:///", "memory://"),
        ("memory://name", "memory://"),
        ("memory://?x=1", "memory://"),
    ],
)
def test_what_makes_no_sense_is_said(
    uri: str,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=remedy):
        open_store(uri)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///x.db", "x.db"),
        ("sqlite:////srv/x.db", "/srv/x.db"),
        ("sqlite:///C:/x.db", "C:/x.db"),
        ("sqlite:///a%20b%3F%25.db", "a b?%.db"),
        ("sqlite:///a#b.db", "a#b.db"),
        ("sqlite:///x.db?", "x.db"),
    ],
)
def test_the_path_is_what_follows(uri: str, path: str) -> None:
    assert sqlite_path(uri) == path


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "a?b#c.db", "ü😀.db", "file:x.db"])
def test_any_name_of_a_file(name: str, tmp_path: Path) -> None:
    SqliteStore(tmp_path / name).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("module", "not_loaded"),
    [
        ("livegate.stores", {"sqlite3", "asyncio", "logging", "uuid", "json", "pytest"}),
        ("livegate.stores.memory", {"sqlite3", "asyncio", "logging", "uuid", "pytest"}),
        ("livegate.stores.threads", {"sqlite3", "asyncio", "logging", "uuid", "pytest"}),
        ("livegate.stores.sqlite", {"asyncio", "uuid", "pytest"}),
        ("livegate.testing", {"asyncio", "pytest"}),
    ],
)
def test_nobody_pays_for_what_others_use(module: str, not_loaded: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert module in loaded
    assert not loaded & not_loaded
