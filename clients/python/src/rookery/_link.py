"""The way to the server: one connection, which is opened again after a cut when somebody needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ._connection import Connection, Json
from ._errors import ConnectionLost, LoggedOut, RookeryError, is_passing, retry_after
from ._pauses import Wait, pause

T = TypeVar("T")

# The server allows 64 operations on a socket; the others wait here.
OPERATIONS_MAX = 48


class Link:
    """Opens connections to `url`, one at a time, as the owner of `token`."""

    def __init__(self, url: str, token: str | None, act_as: str | None, wait: Wait) -> None:
        self.wait = wait
        self._url, self._act_as = url, act_as
        self._payload: Json = {}
        if token is not None:
            self._payload["Authorization"] = f"Bearer {token}"
        if act_as is not None:
            self._payload["actAs"] = act_as
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._places = asyncio.Semaphore(OPERATIONS_MAX)
        self._is_closed = False

    async def connection(self) -> Connection:
        """The open connection, or a new one."""
        async with self._opening:
            self._check_open()
            if self._connection is None or not self._connection.is_open:
                if self._connection is not None:
                    await self._connection.close()
                    self._connection = None
                try:
                    self._connection = await Connection.open(self._url, self._payload)
                except LoggedOut as error:
                    if self._act_as is None:
                        raise
                    message = f"{error.message}, or it may not act as {self._act_as}"
                    raise LoggedOut("FORBIDDEN", message) from error
            return self._connection

    async def execute(self, query: str, variables: Mapping[str, Any]) -> Json:
        """Carries out one query or mutation, once; returns its `data`."""
        async with self._places:
            connection = await self.connection()
            try:
                return await connection.execute(query, variables)
            except ConnectionLost:
                self._check_open()
                raise

    async def subscribe(self, query: str, variables: Mapping[str, Any]) -> AsyncGenerator[Json, None]:
        """Yields the answers of a subscription until its connection ends."""
        connection = await self.connection()
        answers = connection.subscribe(query, variables)
        try:
            async for answer in answers:
                yield answer
        except ConnectionLost:
            self._check_open()
            raise
        finally:
            await answers.aclose()

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Repeats `attempt` until it succeeds, or fails in a way that a repetition would not change."""
        failures = 0
        while True:
            try:
                return await attempt()
            except RookeryError as error:
                if not is_passing(error):
                    raise
                failures += 1
                await pause(self.wait, failures, retry_after(error))

    async def close(self) -> None:
        """Closes the connection. Running operations end with `ConnectionLost`, and later ones too."""
        self._is_closed = True
        async with self._opening:
            if self._connection is not None:
                await self._connection.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConnectionLost("the client is closed", code="CLIENT_CLOSED")
