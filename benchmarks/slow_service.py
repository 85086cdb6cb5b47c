"""A Face service in a process of its own that creates sessions, each after some seconds."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = """
import asyncio, sys, uuid
from aiohttp import web

async def create(request):
    await asyncio.sleep(float(sys.argv[1]))
    return web.json_response({
        "sessionId": str(uuid.uuid4()), "authToken": "token", "status": "NotStarted",
        "results": {"attempts": []},
    })

async def main():
    app = web.Application()
    app.router.add_post("/face/v1.2/detectLiveness-sessions", create)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def slow_service(seconds: float) -> Iterator[str]:
    """The service's endpoint; each create takes *seconds*."""
    command = [sys.executable, "-c", _CODE, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()
