"""What the memory store does beyond the contract."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from livegate.stores.memory import MemoryStore

FORKS = """
import os, signal, warnings
from threading import Thread
from livegate.stores.memory import MemoryStore
from livegate.testing.store_suite.samples import a_record, next_of

warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tested
store = MemoryStore()
store.insert(a_record())
is_over = False

def save():
    record = a_record()
    while not is_over:
        record = next_of(record)
        store.save(record, record.version - 1)

writer = Thread(target=save)
writer.start()
statuses = []
for _ in range(50):
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends one that waits for ever
        found = store.get("session-1")
        store.save(next_of(found), found.version)
        os._exit(0)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
is_over = True
writer.join()
print(set(statuses))
"""


def test_event_loop_uses_the_store_itself() -> None:
    store = MemoryStore()
    assert store.for_event_loop() is store


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_child_forked_while_a_thread_writes_can_use_the_store() -> None:
    command = [sys.executable, "-W", "error", "-c", FORKS]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.stdout, run.stderr) == ("{0}\n", "")
