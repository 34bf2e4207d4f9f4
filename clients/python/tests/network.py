"""A bad network between a client and the server at ROOKERY_URL: it cuts connections."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from urllib.parse import urlsplit

NEVER = 1 << 60


class Network:
    """Listens on a port of its own. `budget()` returns the bytes after which it cuts the next connection."""

    def __init__(self, budget: Callable[[], int] = lambda: NEVER) -> None:
        self.url = ""
        self.cuts = 0
        self.is_down = False
        self._budget = budget
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Network:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Cuts all connections."""
        for writer in self._open:
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        address = urlsplit(os.environ["ROOKERY_URL"])
        far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
        pair = {writer, far_writer}
        self._open |= pair
        left = self._budget()

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            nonlocal left
            while data := await source.read(4096):
                left -= len(data)
                if left < 0:
                    return
                target.write(data)
                await target.drain()

        ways = [asyncio.create_task(copy(reader, far_writer)), asyncio.create_task(copy(far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            self.cuts += left < 0
        finally:
            for end in pair:
                end.transport.abort()
            self._open -= pair
            await asyncio.gather(*ways, return_exceptions=True)
