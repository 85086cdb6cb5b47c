"""The built-in stores by URI."""

from __future__ import annotations

import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import pytest

from livegate.errors import ConfigurationError
from livegate.plugins.uri import Uri
from livegate.stores import opening
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from livegate.protocols import SessionStore


def open_store(uri: str) -> SessionStore | None:
    return opening.open_store(Uri.parse(uri))


def test_memory() -> None:
    """Given ``memory://``; each call gives a store of its own."""
    assert isinstance(open_store("memory://"), MemoryStore)
    assert open_store("MEMORY://") is not open_store("memory://")


def test_sqlite_with_an_absolute_path(tmp_path: Path) -> None:
    """Given four slashes; the path is absolute."""
    store = open_store(f"sqlite:///{tmp_path}/x.db")
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / "x.db").exists()


def test_sqlite_with_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given three slashes; the path counts from the folder that the process was in then."""
    monkeypatch.chdir(tmp_path)
    store = open_store("SQLite:///x.db")
    assert store is not None
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert store.get("x") is None
    store.close()
    assert [path.name for path in tmp_path.rglob("*.db")] == ["x.db"]


@pytest.mark.parametrize(
    ("options", "synchronous", "capabilities"),
    [
        ("", 2, {"durable", "shared"}),
        ("?", 2, {"durable", "shared"}),
        ("?synchronous=full", 2, {"durable", "shared"}),
        ("?synchronous=normal", 1, {"shared"}),
    ],
)
def test_synchronous_is_an_option(
    options: str, synchronous: int, capabilities: set[str], tmp_path: Path
) -> None:
    """Given the option, or none; connections have it, and the store says what it guarantees."""
    store = open_store(f"sqlite:///{tmp_path}/x.db{options}")
    assert isinstance(store, SqliteStore)
    found = store._pool.run(lambda each: each.execute("PRAGMA synchronous").fetchone())
    store.close()
    assert found == (synchronous,)
    assert store.capabilities == capabilities


@pytest.mark.parametrize("uri", ["redis://host/0", "postgresql://u:p@h/d", "sqlite3:///x.db"])
def test_other_schemes_are_left_to_others(uri: str) -> None:
    """Given a scheme of another store; the answer is None."""
    assert open_store(uri) is None


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("sqlite://", "three slashes"),
        ("sqlite://file.db", "three slashes"),
        ("sqlite://localhost/file.db", "three slashes"),
        ("sqlite://:5432/file.db", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("sqlite:////", "three slashes"),
        ("sqlite:///?synchronous=normal", "three slashes"),
        ("sqlite:///x.db?mode=ro", "the options synchronous only"),
        ("sqlite:///x.db?synchronous=normal&mode=ro", "the options synchronous only"),
        ("sqlite:///x.db?synchronous=off", "full or normal"),
        ("sqlite:///x.db?synchronous=", "full or normal"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///%3Amemory%3A", "memory://"),
        ("sqlite:///no/such/folder/x.db", "folder has to exist"),
        ("sqlite:///nul%00.db", "cannot be created"),
        ("memory:///", "memory://"),
        ("memory://name", "memory://"),
        ("memory://?x=1", "memory://"),
    ],
)
def test_uri_that_cannot_be_used_is_an_error_with_a_remedy(
    uri: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a known scheme and something else that is wrong; no file is created."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=remedy):
        open_store(uri)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite://app:SECRET@db/x",
        "sqlite://app:SECRET@db:5432/x?synchronous=full",
        "sqlite://SECRET@db/x",
        "sqlite:///app:SECRET@db/x",
        "sqlite:////app:SECRET@db/x",
        "sqlite:///app:SEC%2FRET%40@db/x",
        "sqlite:///x.db?key=SECRET",
        "sqlite:///x.db?SECRET",
        "sqlite:///x.db?synchronous=SECRET",
        "sqlite:///no/such/folder/x.db?synchronous=full&key=SECRET",
        "memory://app:SECRET@db",
        "memory://?key=SECRET",
        "memory:///SECRET",
    ],
)
def test_no_error_quotes_a_secret_of_a_uri(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a password where none belongs; neither the error nor its cause has it or the URI."""
    monkeypatch.chdir(tmp_path)
    parsed = Uri.parse(uri)
    with pytest.raises(ConfigurationError) as caught:
        opening.open_store(parsed)
    error: BaseException | None = caught.value
    texts = traceback.format_exception(caught.value, limit=0)
    while error is not None:
        texts += [str(error), repr(error), str(vars(error))]
        error = error.__cause__ or error.__context__
    assert len(texts) >= 4
    for secret in ("SECRET", "SEC/RET", "SEC%2FRET", uri):
        assert not [text for text in texts if secret in text]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("sqlite:///x.db", "x.db"),
        ("sqlite:///a%20b%3F%25.db", "a b?%.db"),
        ("sqlite:///a%23b.db", "a#b.db"),
        ("sqlite:///app@2.db", "app@2.db"),
        ("sqlite:///a:b.db", "a:b.db"),
    ],
)
def test_path_is_percent_decoded(
    uri: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given escapes, or characters that mean something elsewhere; the file has the name."""
    monkeypatch.chdir(tmp_path)
    store = open_store(uri)
    assert store is not None
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "a?b#c.db", "ü😀.db", "file:x.db"])
def test_any_name_of_a_file(name: str, tmp_path: Path) -> None:
    """Given a path itself; no character of it means anything to SQLite."""
    SqliteStore(tmp_path / name).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("module", "not_loaded"),
    [
        ("livegate.stores", {"sqlite3", "asyncio", "logging", "uuid", "json", "pytest"}),
        ("livegate.stores.opening", {"sqlite3", "asyncio", "uuid", "pytest"}),
        ("livegate.stores.memory", {"sqlite3", "asyncio", "logging", "uuid", "pytest"}),
        ("livegate.stores.threads", {"sqlite3", "asyncio", "logging", "uuid", "pytest"}),
        ("livegate.stores.sqlite", {"asyncio", "uuid", "pytest"}),
    ],
)
def test_stores_load_only_what_they_use(module: str, not_loaded: set[str]) -> None:
    """Given one store; importing it loads nothing that only another one needs."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert module in loaded
    assert not loaded & not_loaded
